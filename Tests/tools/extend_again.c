// Starts a pipeline with a sceneextend called "extend" again and again, and stops it while it generates:
//
//   extend_again COUNT PIPELINE
//
// Of three lives one ends by itself after stop-extension, one is cut off while a shot is generated or played, and one between two
// states. For GStreamer's leaks tracer: it looks when GStreamer is given back.
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

// Waits for a scene-extension message of this state; FALSE if there is an end or an error before, or nothing for 30 seconds.
static gboolean wait_for(GstBus *bus, const char *state) {
  GstMessageType kinds = GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR;
  for (GstMessage *message; (message = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND, kinds)) != NULL;) {
    GstMessageType kind = GST_MESSAGE_TYPE(message);
    const GstStructure *fields = gst_message_get_structure(message);
    const char *is = kind == GST_MESSAGE_ELEMENT && gst_structure_has_name(fields, "scene-extension") ? gst_structure_get_string(fields, "state") : NULL;
    gboolean found = kind == GST_MESSAGE_EOS ? !strcmp(state, "eos") : is && !strcmp(is, state);
    gst_message_unref(message);
    if (found || kind != GST_MESSAGE_ELEMENT) return found;
  }
  return FALSE;
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 3) return 2;
  int count = atoi(argv[1]), status = 0, ended = 0, cut = 0;
  for (int life = 0; life < count && status == 0; life++) {
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(argv[2], &error);
    if (error != NULL) {
      g_printerr("%s\n", error->message);
      return 1;
    }
    GstElement *extend = gst_bin_get_by_name(GST_BIN(pipeline), "extend");
    GstBus *bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    // A model may begin before the end, when there is nothing to be stopped yet.
    if (life % 3 < 2 && !wait_for(bus, life % 3 == 1 && life % 2 == 0 ? "generating" : "playing")) status = 1;
    if (life % 3 == 0) {
      g_signal_emit_by_name(extend, "stop-extension");
      if (!wait_for(bus, "eos")) status = 1;
      ended++;
    } else {
      g_usleep(life * 1500);
      cut++;
    }
    gst_element_set_state(pipeline, life % 2 == 0 ? GST_STATE_NULL : GST_STATE_READY);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(extend);
    gst_object_unref(pipeline);
  }
  if (status == 0) g_print("%d times: %d ended, %d were cut off\n", count, ended, cut);
  // What is cut off may end a moment later.
  g_usleep(500000);
  gst_deinit();
  return status;
}
