/* Prints the shot boundaries of a video as they are found.
 *
 *   . launch/env
 *   cc samples/c/boundaries.c -o boundaries $(pkg-config --cflags --libs gstreamer-1.0)
 *   ./boundaries FILE
 */
#include <gst/gst.h>

static void print_boundary(const GstStructure *boundary) {
  guint64 frame = 0, stream_time = GST_CLOCK_TIME_NONE;
  gdouble score = 0;
  const gchar *kind = gst_structure_get_string(boundary, "kind");
  gst_structure_get_uint64(boundary, "frame", &frame);
  gst_structure_get_uint64(boundary, "stream-time", &stream_time);
  gst_structure_get_double(boundary, "score", &score);
  g_print("frame %" G_GUINT64_FORMAT "  %" GST_TIME_FORMAT "  %s  %.3f\n", frame, GST_TIME_ARGS(stream_time),
          kind ? kind : "?", score);
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 2) {
    g_printerr("usage: %s FILE\n", argv[0]);
    return 2;
  }

  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch_full("filesrc name=file ! decodebin ! videoconvert ! shotdetect ! fakesink sync=false",
                                               NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline) {
    g_printerr("%s\n", error->message);
    g_clear_error(&error);
    return 1;
  }
  GstElement *file = gst_bin_get_by_name(GST_BIN(pipeline), "file");
  g_object_set(file, "location", argv[1], NULL);
  gst_object_unref(file);

  GstBus *bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  int result = -1;
  while (result < 0) {
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    if (gst_message_has_name(message, "shot-boundary")) {
      print_boundary(gst_message_get_structure(message));
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
      result = 0;
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error(message, &error, NULL);
      g_printerr("%s: %s\n", GST_OBJECT_NAME(message->src), error->message);
      g_clear_error(&error);
      result = 1;
    }
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
  gst_deinit();
  return result;
}
