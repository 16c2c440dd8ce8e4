// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace framelock::plugins {

/// What gst-inspect-1.0 says of workerfilter. Fields stand behind their type, "type: field, field";
/// a test compares them with the structures.
inline constexpr char kWorkerFilterDescription[] =
    "Sends every frame through a graph in an isolated worker process and publishes each result "
    "under its own frame's time.\n"
    "Action signal set-prompt(gchararray prompt): gives the worker a new graph (JSON, ComfyUI's "
    "API "
    "format); blocks for prompt-timeout at most, so it is not for streaming threads. It returns "
    "the structure framelock-prompt-result, boolean: applied, in-force (also when it was not "
    "applied only because downstream did not take the last frame of the old one in time); uint64: "
    "revision (of the prompt that is in force); string: errors (empty if applied, else JSON "
    "{\"error\":{\"type\",\"message\",\"details\",\"extra_info\"},\"node_errors\":{...}} from the "
    "worker, or of type stopped, timeout or worker_lost from this element). Once applied is true, "
    "downstream has taken the last frame of an older prompt; a rejected prompt changes nothing.\n"
    "Action signal update(GstStructure): the same with the fields string: prompt, settings (of the "
    "worker for this prompt and those to come, a JSON object; need not be there); and, together or "
    "not at all, uint: width, height (of the frames that the new prompt is to get: upstream is "
    "asked for them by the custom event framelock-size, uint: width, height, and frames of the old "
    "size that are under way are skipped, unless full-policy=block; an upstream that does not take "
    "the event goes on as before).\n"
    "Action signal switch-worker(gint fd, guint width, guint height): lets a lent worker, whose "
    "SOCK_SEQPACKET socket the element owns from now on and which has a prompt already, take over "
    "between two frames, and gives the one before back without a word. It blocks and answers as "
    "set-prompt does; errors may be bare text. The size is as update's (0, 0: as before). Only "
    "with lent=true.\n"
    "Signal text(guint64 sequence, guint64 pts, gchararray text): what the graph says of a frame "
    "(SaveTextTensor), right before its result goes downstream; a frame whose result is not "
    "published says nothing. From a streaming thread, so handlers must be quick. The sequence "
    "counts the frames that came in since the start, from 1; pts is the frame's own.\n"
    "Element message framelock-worker: a worker came or went. string: event (ready, switched or "
    "lost); int: "
    "pid (0: it never said); and if it is lost, string: reason (closed, hung, protocol or failed), "
    "detail (for people).\n"
    "Request pad audio_sink, which brings audio_src: the stream's audio (mono, 16 bits) goes "
    "through the graph, too, in pieces as long as the graph asks for (LoadAudioTensor), and leaves "
    "as it gives them (SaveAudioTensor), else as it came. What audio_src leads to must not block: "
    "the frames' thread pushes there.\n"
    "Element message framelock-audio, from each worker and when it changes: int: length (ms of "
    "audio "
    "that the graph takes at once, 0: none)";

inline constexpr char kWorkerFilterStats[] =
    "Figures of this run, or of the last one, all of one moment. uint64: inputs (frames that came "
    "in; = completed + skipped + failed + lost + open), completed, skipped, failed, lost, open, "
    "waiting and in-flight (both among open), pushed (frames that went out; = completed + "
    "passed-through + repeated), passed-through, repeated, late (answered when their place was "
    "gone; among skipped), texts (of published results), texts-dropped (longer than "
    "max-text-bytes, or of sound that an older graph heard), audio-processed, audio-passed-through "
    "and audio-dropped (pieces that the "
    "graph has had, that it should have had, that did not fit), audio-length-ms (of a piece; 0: "
    "the graph takes no audio), copied-in and copied-out (frames that could not be shared), "
    "latency-p50-us, latency-p99-us (microseconds from in to out), service-p50-us, service-p99-us "
    "(microseconds in the worker), divisor (one of so many frames is chosen for the worker; only "
    "cadence steady chooses), budget-us (microseconds from a frame's expected arrival to its "
    "publication), prompt-revision (0: none was applied), worker-restarts; double: fps-in, "
    "fps-out; uint: output-width, output-height (of the last result); int: worker-pid (0: none); "
    "string: worker-state (none, starting or ready), cadence (that is in force), last-error";

}  // namespace framelock::plugins
