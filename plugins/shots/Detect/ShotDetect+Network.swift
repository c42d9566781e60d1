import CGStreamer
import GStreamerKit
import Shots
import Tensors
import TransNet

extension ShotDetect {
  /// What `detector` needs besides frames; nil if it needs nothing. Takes about a fifth of a second.
  ///
  /// - Throws: RESOURCE/NOT_FOUND, /OPEN_READ or STREAM/FORMAT with the file, and the tensor where there is one;
  ///   LIBRARY/INIT if the network cannot run here.
  func loadNetwork(_ settings: Settings) throws -> NetworkParts? {
    guard settings.detector.needsNetwork else { return nil }
    let folder = try settings.modelLocation ?? ModelFolder.find("transnetv2")
    do {
      let model = try loadModel(try ModelFolder.find("fused"))
      let inference = try InferenceThread(
        folder: folder, windowing: settings.networkWindowing, precision: settings.precision.precision,
        threads: Int(settings.threads == 0 ? 2 : settings.threads))
      ComputeLog.tell(Self.debug, handle, asked: settings.precision.rawValue, taken: settings.precision.precision.available.rawValue)
      return NetworkParts(inference: inference, model: model, policy: settings.whenLate.policy)
    } catch TransNetError.weights(let error) {
      throw ElementError(error)
    } catch let error as WeightsError {
      throw ElementError(error)
    } catch let error as TransNetError {
      throw ElementError.library(GST_LIBRARY_ERROR_INIT, error.description)
    }
  }

  private func loadModel(_ folder: String) throws -> TransitionModel {
    let file = try SafetensorsFile(path: folder + "/model.safetensors")
    return try TransitionModel { name, shape in try file.floats(name, shape: shape) }
  }
}

extension ShotDetect.Settings {
  var networkWindowing: Windowing { windowing == .windowed ? .windowed : .streaming(lookAhead: Int(lookAhead)) }
}

extension ElementError {
  init(_ error: WeightsError) {
    switch error.kind {
    case .notFound: self = .resource(GST_RESOURCE_ERROR_NOT_FOUND, error.description + ".")
    case .unreadable: self = .resource(GST_RESOURCE_ERROR_OPEN_READ, error.description + ".")
    case .malformed: self = .stream(GST_STREAM_ERROR_FORMAT, error.description + ".")
    }
  }
}
