# SPDX-License-Identifier: Apache-2.0
# Proves that layers.cmake refuses what it must: plants one bad file a case and expects a failure.
cmake_policy(VERSION 3.25)
set(dir "${WORK}/layers_selftest")

function(expect verdict path content)
  file(REMOVE_RECURSE "${dir}")
  file(WRITE "${dir}/${path}" "${content}\n")
  execute_process(COMMAND "${CMAKE_COMMAND}" -DROOT=${dir} -P "${LINT}"
    RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  if((verdict STREQUAL "refused" AND code EQUAL 0) OR (verdict STREQUAL "passed" AND NOT code EQUAL 0))
    message(SEND_ERROR "${path} with '${content}' was not ${verdict}")
  endif()
endfunction()

expect(passed pipeline/core/a.h "#include \"pipeline/core/result.h\"")
expect(refused pipeline/core/a.h "#include \"workers/graph/prompt.h\"")
expect(refused api/a.cc "#include \"workers/graph/prompt.h\"")
expect(refused api/a.cc "#include \"plugins/a.h\"")
expect(refused trickle/a.cc "#include \"workers/host/worker_client.h\"")
expect(refused workers/host/a.cc "#include \"workers/graph/prompt.h\"")
expect(refused workers/main/a.cc "#include <gst/gst.h>")
expect(refused api/a.cc "#include <boost/asio.hpp>")
expect(refused pipeline/lost/a.cc "int x;")
expect(passed plugins/a.cc "#include <gst/gst.h>")
file(REMOVE_RECURSE "${dir}")
