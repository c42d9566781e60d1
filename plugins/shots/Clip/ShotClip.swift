import CGStreamer
import Clips
import GStreamerKit
import Synchronization
import Timing

/// Writes clips around the boundaries that an upstream `shotdetect` marked, with their sound.
///
/// - `mode=shots`: a file a shot, exact to the frame. `mode=around`: a file a boundary, with `padding` before and after
///   it; such clips may overlap. Picture is encoded once, sound anew for each clip and cut to the sample.
/// - A file has its name when it is complete, and its line in the manifest after that. At the end of the stream, and
///   after PAUSED→READY, all are.
/// - Memory: sound for 30 s (at 48 kHz in stereo and 16 bits 6 MB), 4 raw frames, 32 MiB of queue, and of encoded
///   picture (`padding` + `key-frame-interval` + 5 s) × bit rate with `mode=around`, up to 10 s × bit rate otherwise
///   where sound is late. When the disk does not keep up the streams wait.
/// - Example: `filesrc location=a.mp4 ! decodebin ! videoconvert ! shotdetect align=true ! shotclip location=a%05d.mp4`
final class ShotClip: BinElement {
  static let description = ElementDescription(
    factory: "shotclip", typeName: "GstShotClip", longName: "Shot clip writer", klass: "Sink/File/Video",
    summary: "Writes a file a shot, or a clip around each boundary that shotdetect found, with sound and a manifest",
    author: "gst-shots contributors",
    pads: [PadTemplate("video", .sink, caps: "video/x-raw"), PadTemplate("audio", .sink, .request, caps: "audio/x-raw")])

  struct Settings: Defaultable {
    var mode = Mode.shots
    var location: String? = "clip%05d.mp4"
    var overwrite = false
    var minimumDuration: ClockTime = 0
    var padding = ClockTime.milliseconds(5000)
    var longest = ClockTime.milliseconds(10_000)
    var which = Which.all
    var keyFrameInterval = ClockTime.milliseconds(1000)
    var encoder: String?
    var audioEncoder: String?
    var muxer: String?
    var manifestLocation: String?
    var videoName: String?
    var validate = false
    var captioner: String?
    var captionerTimeout = ClockTime.milliseconds(30_000)
  }

  struct Readings: Defaultable {
    var clips: UInt64 = 0
    var rejected: UInt64 = 0
  }

  static let properties: [Property<ShotClip>] = [
    .enumeration("mode", \.mode, "What a clip is", changeable: .ready),
    .fileName(
      "location", \.location,
      """
      Files to write: %05d is the clip's number, {shot} its shot's, {time} where it starts (00-01-02.345); %%, {{ and }} are \
      a percent sign and braces. The extension says the container: mp4, mov, mkv, webm, ts
      """,
      changeable: .ready),
    .bool("overwrite", \.overwrite, "Take names that exist; otherwise the next that is free", changeable: .ready),
    .clockTime("min-duration", \.minimumDuration, "Nanoseconds; shorter clips are not kept", changeable: .ready),
    .clockTime("padding", \.padding, "Nanoseconds before and after a boundary, with mode=around", changeable: .ready),
    .clockTime("max-duration", \.longest, "Nanoseconds; the longest clip with mode=around", changeable: .ready),
    .enumeration("which", \.which, "Which boundaries get a clip, with mode=around", changeable: .ready),
    .clockTime(
      "key-frame-interval", \.keyFrameInterval,
      "Nanoseconds between key frames, where clips can begin, with mode=around; at most padding is used",
      changeable: .ready),
    .string(
      "encoder", \.encoder,
      "Video encoder with its properties, as gst-launch-1.0 reads it; none: what suits the container and is installed", changeable: .ready),
    .string(
      "audio-encoder", \.audioEncoder,
      "Audio encoder with its properties, as gst-launch-1.0 reads it; none: what suits the container and is installed", changeable: .ready),
    .string(
      "muxer", \.muxer, "Muxer with its properties, as gst-launch-1.0 reads it; none: what the extension of location says",
      changeable: .ready),
    .fileName(
      "manifest-location", \.manifestLocation, "JSON Lines file to add a line to for each clip that is complete", changeable: .ready),
    .string("video-name", \.videoName, "Name of the medium for the manifest", changeable: .ready),
    .bool(
      "validate", \.validate, "Keep clips only in which some frame differs from the one before it by more than 50 of 255 on average",
      changeable: .ready),
    .string(
      "captioner", \.captioner,
      "Command that prints one line about a scene, run without a shell; {first} and {last} are PNG files of its first and last frame",
      changeable: .ready),
    .clockTime("captioner-timeout", \.captionerTimeout, "Nanoseconds after which the command is killed", changeable: .ready),
    .counter("clips", \.clips, "Clips that are complete"),
    .counter("clips-rejected", \.rejected, "Clips that validate did not keep"),
  ]

  static let debug = DebugCategory("shotclip", "Shot clip writer")

  private let handle: ElementHandle
  private let watch: ClipWatch
  private struct Run {
    var recorder: ClipRecorder<MuxedClip>
    var work: FinishingWork
  }
  /// From start to stop.
  private let run = Mutex<Run?>(nil)

  init(_ handle: ElementHandle) {
    self.handle = handle
    watch = ClipWatch(handle)
  }

  // MARK: Inside

  func build(_ bin: Bin, _ settings: Settings) throws {
    let format = try ClipFormat(settings, hasSound: false)
    let encoder = try bin.add(description: format.encoder, name: "encoder")
    let coded = try Self.codedFormat(encoder, format.encoder)
    guard let caps = try Factory.sinkCaps(of: format.muxer) else { return }

    // Raw frames are large: no more than keep both sides busy.
    let queue = try bin.add("queue"), convert = try bin.add("videoconvert"), fit = try bin.add("capsfilter"),
      sink = try bin.add("fakesink", name: "picture")
    // Neither does anything unless the film lies on its side, or has sizes that the encoder cannot have. What turns it
    // knows fewer formats than encoders do.
    let upright = try bin.add("videoflip", name: "upright"), reconvert = try bin.add("videoconvert"), crop = try bin.add("videocrop")
    bin.set(queue, "max-size-buffers", "4")
    bin.set(queue, "max-size-bytes", "0")
    bin.set(queue, "max-size-time", "0")
    bin.set(fit, "caps", caps.description)
    Self.setUp(sink, in: bin)
    for (one, next) in [(queue, convert), (convert, upright), (upright, reconvert), (reconvert, crop), (crop, encoder)] {
      try bin.link(one, next)
    }
    if format.needsEvenSize {
      reconvert.pad("src")?.watch { passing in
        guard case .event(let event) = passing, let info = event.caps?.video else { return }
        bin.set(crop, "right", info.halvesColumns && info.width % 2 == 1 ? "1" : "0")
        bin.set(crop, "bottom", info.halvesRows && info.height % 2 == 1 ? "1" : "0")
      }
    }
    if let name = coded.flatMap({ ClipFormat.parser($0) }) {
      let parser = try bin.add(name)
      try bin.link(encoder, parser)
      try bin.link(parser, fit)
    } else {
      try bin.link(encoder, fit)
    }
    try bin.link(fit, sink)
    try bin.expose(queue, "sink", as: "video")
    let watch = watch
    queue.pad("src")?.guardRawData { [handle] in handle.post($0) }
    queue.pad("src")?.watch { watch.arriving(&$0) }
    convert.pad("sink")?.watch { passing in watch.raw(passing) { convert.pad("sink") } }
    sink.pad("sink")?.watch { watch.coded(&$0) }
  }

  /// What an application has in its pipeline when it turns films upright itself.
  private static let turners: Set<String> = ["videoflip", "glvideoflip", "autovideoflip"]

  /// Milliseconds for which a stop waits for clips: nobody waits longer for a disk, or for what users name as encoder.
  private static let patience = 600

  /// One stream of sound without gaps, in running time.
  private static let soundChain = ["queue", "identity", "audioconvert", "audioresample", "audiorate", "capsfilter", "fakesink"]

  func added(_ pad: Pad, to bin: Bin, _ settings: Settings) throws {
    let chain = try Self.soundChain.map { try bin.add($0, name: "sound-\($0)") }
    for (one, next) in zip(chain, chain.dropFirst()) { try bin.link(one, next) }
    guard let queue = chain.first, let single = bin.child("sound-identity"), let filter = bin.child("sound-capsfilter"),
      let sink = chain.last
    else { return }
    Self.setUp(sink, in: bin)
    // PLAYING does not wait for sound that never begins.
    bin.set(sink, "async", "false")
    bin.set(single, "single-segment", "true")
    bin.set(filter, "caps", "audio/x-raw, layout=interleaved")
    try bin.expose(queue, "sink", as: pad.name)
    queue.pad("src")?.guardRawData { [handle] in handle.post($0) }
    let watch = watch
    sink.pad("sink")?.watch { passing in
      // Sound that changes its format is converted to what it was: muxers take no other.
      if case .event(let event) = passing, let caps = event.caps { bin.set(filter, "caps", caps.description) }
      watch.sound(&passing)
    }
  }

  func removed(_ pad: Pad, from bin: Bin) {
    watch.soundLeaves()
    for name in Self.soundChain { if let child = bin.child("sound-\(name)") { bin.remove(child) } }
  }

  private static func setUp(_ sink: ElementHandle, in bin: Bin) {
    // Clips are made as fast as data come. The picture's sink waits for its first packet, as sinks do: where none does,
    // decodebin's thread completes PAUSED, and when the application sets PLAYING meanwhile its end of stream is lost.
    bin.set(sink, "sync", "false")
    bin.set(sink, "enable-last-sample", "false")
  }

  /// Name of the format that an encoder gives; nil if it may be any.
  private static func codedFormat(_ encoder: ElementHandle, _ description: String) throws -> String? {
    guard let caps = encoder.pad("src")?.possibleCaps else {
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, "\"\(description)\" gives nothing: it has no free source pad.")
    }
    return caps.mediaType
  }

  // MARK: Life

  func start(_ settings: Settings) throws {
    if let path = settings.manifestLocation {
      do { try LineFile.check(path) } catch { throw ElementError(error) }
    }
    let hasSound = handle.pad("audio") != nil
    let format = try ClipFormat(settings, hasSound: hasSound)
    let names: ClipNamePattern
    do {
      names = try ClipNamePattern(settings.location ?? "")
    } catch {
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, "location: \(error)")
    }
    // Until GStreamer 1.24 who turns a film upright lets the tag pass that says that it lies. Who turns it has seen to it.
    let isTurned = handle.pad("video")?.comes(from: Self.turners) == true
    let bin = Bin(handle: handle)
    bin.child("upright").map { bin.set($0, "video-direction", isTurned ? "identity" : "auto") }
    let mode: ClipPlan<MuxedClip.Packet>.Mode =
      switch settings.mode {
      case .shots: .shots
      case .around: .around(padding: settings.padding, longest: settings.longest, onlyFirst: settings.which == .first)
      }
    let options = ClipOptions(
      mode: mode, names: names, overwriting: settings.overwrite, minimumDuration: settings.minimumDuration,
      videoName: settings.videoName ?? "", hasSound: hasSound)
    handle.publish(Readings(), of: ShotClip.self)
    // Its threads may have to go on for a while after it has stopped.
    let keeper = handle.kept
    let work = try FinishingWork(keeper, settings)
    let recorder: ClipRecorder<MuxedClip>
    do {
      recorder = try ClipRecorder(options) {
        Self.debug.log(GST_LEVEL_DEBUG, keeper.handle, "begins \($0.path) at \($0.start) \($0.sound == nil ? "without" : "with") sound")
        return try MuxedClip($0, format)
      } finish: {
        work.finish($0)
      } report: {
        $0.post(on: keeper.handle)
      }
    } catch {
      throw ElementError.resource(GST_RESOURCE_ERROR_FAILED, "The system gives no thread to \(error.job) clips on: error \(error.code).")
    }
    watch.start(recorder.inbox, keyFrameInterval: settings.mode == .around ? min(settings.keyFrameInterval, settings.padding) : nil)
    run.withLock { $0 = Run(recorder: recorder, work: work) }
  }

  func interrupt() {
    guard let run = run.withLock({ $0 }) else { return }
    run.recorder.inbox.interrupt()
    run.work.cancelCaptions()
  }

  func stop() {
    watch.stop()
    let run = run.withLock { run -> Run? in
      defer { run = nil }
      return run
    }
    if run?.recorder.close(within: Self.patience) == false {
      handle.postWarning(
        .resource(GST_RESOURCE_ERROR_BUSY, "The last clips are still being written; each has its name when it is complete."))
    }
  }
}

extension ClipRecorder.Problem {
  fileprivate func post(on handle: ElementHandle) {
    switch self {
    case .writing(let error): handle.post(error as? ElementError ?? .resource(GST_RESOURCE_ERROR_WRITE, "\(error)"))
    case .keyFrameIsMissing:
      handle.postWarning(
        .stream(
          GST_STREAM_ERROR_ENCODE,
          "The encoder makes no key frame where it is asked for one: clips begin late, or not at all. Set encoder."))
    }
  }
}

extension ClipFormat {
  /// - Throws: LIBRARY/SETTINGS for an extension that says nothing, CORE/MISSING_PLUGIN with what to install.
  fileprivate init(_ settings: ShotClip.Settings, hasSound: Bool) throws {
    do {
      try self.init(
        location: settings.location ?? "", encoder: settings.encoder, audioEncoder: settings.audioEncoder, muxer: settings.muxer,
        hasSound: hasSound, isInstalled: Factory.isInstalled)
    } catch .noExtension(let text) {
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, text)
    } catch .notInstalled(let text) {
      throw ElementError.core(GST_CORE_ERROR_MISSING_PLUGIN, text)
    }
  }
}

extension ShotClip {
  enum Mode: String, PropertyEnumeration {
    case shots, around

    static let typeName = "GstShotClipMode"

    var blurb: String {
      switch self {
      case .shots: "A file a shot, exact to the frame"
      case .around: "A file a boundary, from padding before it to padding after it"
      }
    }
  }

  enum Which: String, PropertyEnumeration {
    case first, all

    static let typeName = "GstShotClipWhich"

    var blurb: String {
      switch self {
      case .first: "The first of the stream"
      case .all: "Each"
      }
    }
  }
}
