// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Nodes of one's own for framelock-worker, in C11 or C++20. This file is the whole contract.
///
/// `framelock-worker --nodes DIR` loads each *.so of DIR at its start, calls its framelock_nodes_v1
/// once, and never unloads it. That function adds node classes; a prompt's nodes are made of them.
///
/// - Errors: execute and create return 0 if all went well. If not, the node has failed, and what it
///   said by host->set_error is why. No exception and no longjmp may leave a function of a node.
/// - Ownership: what one side passes is lent until the call returns, unless a comment says
///   otherwise. Of what the worker passes, only make_tensor's floats may be written to.
/// - Threads: the functions of one node never overlap, on whatever thread. Nodes of one class may
///   run at the same time. host is for the thread and time of the call; it wants `call`, no copy.

#ifdef __cplusplus
extern "C" {
#endif

/// Types of inputs and outputs. No output is a COMBO: it gives a STRING.
enum {
  FRAMELOCK_NONE = 0,
  FRAMELOCK_IMAGE = 1,
  FRAMELOCK_MASK = 2,
  FRAMELOCK_INT = 3,
  FRAMELOCK_FLOAT = 4,
  FRAMELOCK_BOOLEAN = 5,
  FRAMELOCK_STRING = 6,
  FRAMELOCK_COMBO = 7, /* one of several texts */
};

typedef struct framelock_shape {
  uint32_t batch, height, width;
  uint32_t channels; /* of an IMAGE mostly 3 (RGB), of a MASK 1 */
} framelock_shape;

/// Floats, 0 to 1 as a rule: [batch][height][width][channels], packed. A side may be 0.
typedef struct framelock_tensor {
  const float* data;
  framelock_shape shape;
} framelock_tensor;

/// UTF-8; a NUL follows in those that the worker passes.
typedef struct framelock_text {
  const char* data;
  size_t size;
} framelock_text;

typedef struct framelock_value {
  uint32_t type; /* of an input: as declared, or FRAMELOCK_NONE if it is not there */
  union {
    framelock_tensor tensor; /* IMAGE, MASK */
    int64_t integer;         /* INT; beyond 63 bits it wraps */
    double number;           /* FLOAT */
    uint32_t boolean;        /* BOOLEAN: 0 or 1 */
    framelock_text text;     /* STRING, COMBO */
  } as;
} framelock_value;

typedef struct framelock_host framelock_host;
typedef struct framelock_registry framelock_registry;
typedef struct framelock_call {
  const framelock_host* host;
  const framelock_value* inputs; /* one for each input of the class, in its order */
  uint32_t rehearsal; /* not 0: nobody sees this frame, but it may be the only one: compute it all
                         the same; do not count it nor act on the world */
} framelock_call;

/// `value` is the default. min and max both 0: no bounds. step 0: none is shown.
typedef struct framelock_int_range {
  int64_t value, min, max, step;
} framelock_int_range;

typedef struct framelock_float_range {
  double value, min, max, step;
} framelock_float_range;

/// Bounds (nan is within all) and options are checked before a prompt is taken, not what comes by a
/// link. Defaults are for editors: the worker never fills one in.
typedef struct framelock_input {
  const char* name;
  const char* tooltip; /* null: none */
  uint32_t type;
  uint32_t flags;
  framelock_int_range int_range;     /* INT */
  framelock_float_range float_range; /* FLOAT */
  uint32_t boolean;                  /* BOOLEAN: its default */
  const char* text;                  /* STRING, COMBO: the default; null: none */
  const char* const* options;        /* COMBO */
  size_t option_count;
} framelock_input;
#define FRAMELOCK_OPTIONAL 1U /* flag of an input: a prompt may leave it out */

typedef struct framelock_output {
  const char* name; /* null: the type's */
  uint32_t type;
} framelock_output;

/// A node class. The worker copies all but the functions.
typedef struct framelock_class {
  size_t size;              /* sizeof(framelock_class) */
  const char* class_type;   /* what prompts call it; not one that the worker has */
  const char* display_name; /* null: none */
  const char* category;     /* "image/effects"; null: none */
  uint32_t flags;
  const framelock_input* inputs;
  size_t input_count;
  const framelock_output* outputs;
  size_t output_count;

  /// For each frame, or once if nothing upstream changes. Gives every output. Never null.
  int (*execute)(void* state, const framelock_call* call);
  /// Or null. Once for each node, again if it failed, before any frame: read models, make tables.
  /// Inputs that are links are not there yet. Gives no output. *state is null before.
  int (*create)(const framelock_call* call, void** state);
  /// Or null. Once after each create that returned 0, unless the process dies.
  void (*destroy)(void* state);
  /// Or null: execute gives the same for the same inputs. Not 0 if it would now give something else
  /// than before. Asked before each frame, of nodes that need no frame; quick; gives no output.
  int (*is_changed)(void* state, const framelock_call* call);
} framelock_class;
#define FRAMELOCK_OUTPUT_NODE 1U /* flag of a class: its nodes run although nobody reads them */

/// What the worker does for nodes. A later worker may have more at the end: `size` says how much.
struct framelock_host {
  size_t size;
  /// In framelock_nodes_v1 only. Not 0: refused, and with it the whole file; the log says why.
  int (*add_class)(framelock_registry* registry, const framelock_class* node_class);
  /// In execute only. The floats of an IMAGE or MASK output: undefined, all to be written before
  /// execute returns. They come from a pool: a frame like the last one allocates nothing. Null, and
  /// the error is set, if there is no memory or no such output. A second call replaces the first's.
  float* (*make_tensor)(const framelock_call* call, uint32_t output, framelock_shape shape);
  /// In execute only. Copies the value; it has the output's type. An IMAGE or MASK is an element of
  /// call->inputs itself: passed on without copying pixels.
  void (*set_output)(const framelock_call* call, uint32_t output, const framelock_value* value);
  /// In execute and create. Copies the text. The first of a call counts, and the call has failed.
  void (*set_error)(const framelock_call* call, const char* text);
};

/// To be defined by each shared object. Not 0: nothing of it is taken.
typedef int (*framelock_nodes_entry)(const framelock_host* host, framelock_registry* registry);
__attribute__((visibility("default"))) int framelock_nodes_v1(const framelock_host* host,
                                                              framelock_registry* registry);

#ifdef __cplusplus
}
#endif
