// GstHarness for the tests.
#pragma once
#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>

// Properties and signals whose functions in C take any number of arguments.
static inline gboolean cgst_is_string_property(GObject *object, const char *name) {
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
  return spec && spec->value_type == G_TYPE_STRING;
}
static inline void cgst_set_string_property(GObject *object, const char *name, const char *value) {
  if (cgst_is_string_property(object, name)) g_object_set(object, name, value, NULL);
}
static inline gboolean cgst_extend(GstElement *element, gint shots, const char *prompt) {
  gboolean taken = FALSE;
  g_signal_emit_by_name(element, "extend", shots, prompt, &taken);
  return taken;
}
static inline void cgst_stop_extension(GstElement *element) { g_signal_emit_by_name(element, "stop-extension"); }

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

static inline void cgst_crashed(int number) {
  void *frames[40];
  int count = backtrace(frames, 40);
  static const char head[] = "@ stack\n";
  ssize_t written = write(1, head, sizeof head - 1);
  (void)written;
  backtrace_symbols_fd(frames, count, 1);
  raise(number);
}
/// From now on a signal that ends the process prints where it was first, a frame a line.
static inline void cgst_tell_crash(int number) {
  // Loads what backtrace needs, which it cannot do later.
  void *frame;
  backtrace(&frame, 1);
  struct sigaction action = {.sa_handler = cgst_crashed, .sa_flags = SA_RESETHAND | SA_NODEFER};
  sigaction(number, &action, NULL);
}
