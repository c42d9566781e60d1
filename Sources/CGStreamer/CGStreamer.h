// GStreamer's core, base classes and its app, audio and video libraries for Swift. What Swift cannot see through the importer (macros,
// globals that are written from several threads) is reached through the accessors below.
#pragma once
#include <gst/gst.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/audio/audio.h>
#include <gst/base/gstadapter.h>
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

/// `video/x-raw` with every format that GstVideo can unpack, as a caps string.
static inline const char *cgst_video_caps_all(void) { return GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL); }

/// Whether a line of this level would be kept: checked before a log text is built.
static inline gboolean cgst_debug_enabled(GstDebugCategory *category, GstDebugLevel level) {
  return (int)level <= (int)_gst_debug_min && (int)level <= (int)gst_debug_category_get_threshold(category);
}

// Members of C arrays of a mapped frame, which Swift sees as tuples. `plane` is below the format's number of planes.
static inline const guint8 *cgst_frame_data(const GstVideoFrame *frame, guint plane) { return (const guint8 *)frame->data[plane]; }
static inline gint cgst_frame_stride(const GstVideoFrame *frame, guint plane) { return frame->info.stride[plane]; }

/// How many bytes lie between the start of a plane and the end of the memory that it was mapped from; negative if the
/// plane starts outside.
static inline gssize cgst_frame_bytes_left(const GstVideoFrame *frame, guint plane) {
  // Without GstVideoMeta one map serves all planes.
  const GstMapInfo *map = frame->meta ? &frame->map[plane] : &frame->map[0];
  const guint8 *start = cgst_frame_data(frame, plane);
  return start < map->data ? -1 : (gssize)(map->data + map->size - start);
}

/// Rows and meaningful bytes a row of a plane, the largest of the components in it; 0 where the layout is not made of
/// components (palettes, tiles, packed words).
static inline void cgst_plane_extent(const GstVideoInfo *info, guint plane, gint *rows, gint *row_bytes) {
  *rows = *row_bytes = 0;
  for (guint c = 0; c < info->finfo->n_components; c++) {
    if (info->finfo->plane[c] != plane) continue;
    *rows = MAX(*rows, GST_VIDEO_INFO_COMP_HEIGHT(info, c));
    *row_bytes = MAX(*row_bytes, GST_VIDEO_INFO_COMP_WIDTH(info, c) * GST_VIDEO_INFO_COMP_PSTRIDE(info, c));
  }
}

/// How many bytes of a plane are read when its rows are `stride` apart; G_MAXSIZE if they cannot be.
static inline gsize cgst_plane_bytes(const GstVideoInfo *info, guint plane, gint stride) {
  // Tiles and palettes have no rows: only the layout of the caps is known to hold them.
  if (GST_VIDEO_FORMAT_INFO_IS_TILED(info->finfo) || (GST_VIDEO_FORMAT_INFO_HAS_PALETTE(info->finfo) && plane == 1)) {
    gsize end = plane + 1 < GST_VIDEO_INFO_N_PLANES(info) ? info->offset[plane + 1] : info->size;
    return stride == info->stride[plane] && end > info->offset[plane] ? end - info->offset[plane] : G_MAXSIZE;
  }
  gint rows, row_bytes;
  cgst_plane_extent(info, plane, &rows, &row_bytes);
  if (row_bytes == 0) row_bytes = info->stride[plane];
  return rows < 1 || stride < row_bytes ? G_MAXSIZE : (gsize)(rows - 1) * (gsize)stride + (gsize)row_bytes;
}

/// Takes the reference; the result is the same buffer, or a copy of its metadata over the same memory.
static inline GstBuffer *cgst_buffer_make_writable(GstBuffer *buffer) { return gst_buffer_make_writable(buffer); }

/// Samples as the format's own unpacked type (S32 or F64), which is written to `unpacked`.
static inline void cgst_audio_unpack(const GstAudioInfo *info, gpointer unpacked, gconstpointer samples, gint count) {
  info->finfo->unpack_func(info->finfo, GST_AUDIO_PACK_FLAG_NONE, unpacked, (gpointer)samples, count);
}

/// The reverse of `cgst_audio_unpack`.
static inline void cgst_audio_pack(const GstAudioInfo *info, gconstpointer unpacked, gpointer samples, gint count) {
  info->finfo->pack_func(info->finfo, GST_AUDIO_PACK_FLAG_NONE, unpacked, samples, count);
}

/// GST_BUFFER_COPY_ALL, which is made of other macros.
static inline GstBufferCopyFlags cgst_buffer_copy_all(void) { return GST_BUFFER_COPY_ALL; }

/// A buffer with the picture of `picture` (shared, not copied) and everything else, such as times, of `frame`.
static inline GstBuffer *cgst_buffer_with_picture(GstBuffer *frame, GstBuffer *picture) {
  GstBuffer *made = gst_buffer_new();
  // Metadata that describe memory stay behind, since the memory does.
  gst_buffer_copy_into(made, frame, (GstBufferCopyFlags)(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META), 0, -1);
  gst_buffer_copy_into(made, picture, GST_BUFFER_COPY_MEMORY, 0, -1);
  gpointer state = NULL;
  GstMeta *meta;
  GstMetaTransformCopy whole = {FALSE, 0, (gsize)-1};
  while ((meta = gst_buffer_iterate_meta(picture, &state)))
    if (meta->info->transform_func && gst_meta_api_type_has_tag(meta->info->api, g_quark_from_static_string("memory")))
      meta->info->transform_func(made, meta, picture, _gst_meta_transform_copy, &whole);
  // How fields are woven belongs to the picture.
  guint32 own = (guint32)GST_BUFFER_FLAG_LAST - 1;
  GST_MINI_OBJECT_FLAGS(made) = (GST_MINI_OBJECT_FLAGS(made) & own) | (GST_MINI_OBJECT_FLAGS(picture) & ~own);
  // A pool must not have the memory back while this buffer uses it.
  gst_buffer_add_parent_buffer_meta(made, picture);
  return made;
}

// Members of C arrays of a format. `component` is below the format's number of components.
static inline guint cgst_format_plane(const GstVideoFormatInfo *format, guint component) { return format->plane[component]; }
static inline guint cgst_format_offset(const GstVideoFormatInfo *format, guint component) { return format->poffset[component]; }
static inline gint cgst_format_step(const GstVideoFormatInfo *format, guint component) { return format->pixel_stride[component]; }
static inline guint cgst_format_depth(const GstVideoFormatInfo *format, guint component) { return format->depth[component]; }
static inline guint cgst_format_shift(const GstVideoFormatInfo *format, guint component) { return format->shift[component]; }
static inline gint cgst_component_columns(const GstVideoInfo *info, guint component) { return GST_VIDEO_INFO_COMP_WIDTH(info, component); }
static inline gint cgst_component_rows(const GstVideoInfo *info, guint component) { return GST_VIDEO_INFO_COMP_HEIGHT(info, component); }

/// Reads a row of a mapped frame into `pixels`, in the format's unpack format.
static inline void cgst_frame_unpack(const GstVideoFrame *frame, GstVideoPackFlags flags, gpointer pixels, gint y) {
  const GstVideoFormatInfo *format = frame->info.finfo;
  format->unpack_func(format, flags, pixels, (const gpointer *)frame->data, frame->info.stride, 0, y, GST_VIDEO_FRAME_WIDTH(frame));
}

/// Writes `pixels` into a row of a frame that was mapped for writing.
static inline void cgst_frame_pack(GstVideoFrame *frame, GstVideoPackFlags flags, gpointer pixels, gint stride, gint y) {
  const GstVideoFormatInfo *format = frame->info.finfo;
  format->pack_func(
      format, flags, pixels, stride, frame->data, frame->info.stride, frame->info.chroma_site, y, GST_VIDEO_FRAME_WIDTH(frame));
}

/// A new buffer over the same memory.
static inline GstBuffer *cgst_buffer_copy(const GstBuffer *buffer) { return gst_buffer_copy(buffer); }

// Functions of GStreamer's analytics library, which is not linked: see AnalyticsLibrary.swift. An entry is a GstAnalyticsMtd.
typedef struct {
  guint id;
  gpointer meta;
} CGstAnalyticsEntry;
/// gst_buffer_get_analytics_relation_meta, gst_buffer_add_analytics_relation_meta
typedef gpointer (*CGstAnalyticsOfBuffer)(GstBuffer *buffer);
/// gst_analytics_relation_meta_add_one_cls_mtd
typedef gboolean (*CGstAnalyticsAddClass)(gpointer meta, gfloat confidence, GQuark label, CGstAnalyticsEntry *entry);
/// gst_analytics_relation_meta_add_od_mtd
typedef gboolean (*CGstAnalyticsAddObject)(
    gpointer meta, GQuark label, gint x, gint y, gint width, gint height, gfloat confidence, CGstAnalyticsEntry *entry);
/// gst_analytics_relation_meta_set_relation; `types` is a GstAnalyticsRelTypes.
typedef gboolean (*CGstAnalyticsRelate)(gpointer meta, guint types, guint first, guint second);
