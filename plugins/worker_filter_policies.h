// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include "plugins/line_options.h"

namespace framelock::plugins {

/// The properties of workerfilter that choose among a few words: full-policy, on-missing, cadence,
/// release.
inline constexpr guint kPolicies = 4;

/// Installs them as `first` and the ids after it.
void InstallPolicies(GObjectClass* klass, guint first, const LineOptions& defaults);
/// `policy`: from 0 to kPolicies - 1.
void SetPolicy(LineOptions& options, guint policy, const GValue* value);
void GetPolicy(const LineOptions& options, guint policy, GValue* value);

/// A cadence as the property's word.
const char* CadenceText(Cadence cadence);

}  // namespace framelock::plugins
