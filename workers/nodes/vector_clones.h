// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Before a function with a loop over pixels: compiles it for this machine's basic vectors and for
/// ones of twice the width; the loader picks at start-up. Both compute the same bits, as long as
/// multiply-adds are not fused. Sanitizers instrument the picking before they are ready for it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FRAMELOCK_VECTOR_CLONES [[gnu::target_clones("avx2", "default")]]
#else
#define FRAMELOCK_VECTOR_CLONES
#endif
