import Tensors

/// The part of `scheduler_config.json` that says how to read the rest.
struct SchedulerClass: Decodable {
  var name: String

  enum CodingKeys: String, CodingKey { case name = "_class_name" }
}

/// The fields of diffusers' `CogVideoXDDIMScheduler` and `CogVideoXDPMScheduler`.
///
/// `clip_sample`, `clip_sample_range` and `sample_max_value` are not among them: diffusers stores these and no step of the two
/// classes looks at them, so that a file with `"clip_sample": true`, the default, must not clip.
struct CogVideoXConfiguration: Decodable {
  var trainingSteps: Double
  var betaStart, betaEnd: Double
  var betaSchedule: String
  var hasTrainedBetas: Bool
  var finalAlphaIsOne: Bool
  var stepsOffset: Double
  var predictionType: String
  var timestepSpacing: String
  var rescalesToZeroSNR: Bool
  var snrShiftScale: Double

  enum CodingKeys: String, CodingKey {
    case trainingSteps = "num_train_timesteps", betaStart = "beta_start", betaEnd = "beta_end", betaSchedule = "beta_schedule"
    case hasTrainedBetas = "trained_betas", finalAlphaIsOne = "set_alpha_to_one", stepsOffset = "steps_offset"
    case predictionType = "prediction_type", timestepSpacing = "timestep_spacing"
    case rescalesToZeroSNR = "rescale_betas_zero_snr", snrShiftScale = "snr_shift_scale"
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    trainingSteps = try fields.value(.trainingSteps, or: 1000)
    betaStart = try fields.value(.betaStart, or: 0.00085)
    betaEnd = try fields.value(.betaEnd, or: 0.012)
    betaSchedule = try fields.value(.betaSchedule, or: "scaled_linear")
    hasTrainedBetas = try fields.contains(.hasTrainedBetas) && !fields.decodeNil(forKey: .hasTrainedBetas)
    finalAlphaIsOne = try fields.value(.finalAlphaIsOne, or: true)
    stepsOffset = try fields.value(.stepsOffset, or: 0)
    predictionType = try fields.value(.predictionType, or: "epsilon")
    timestepSpacing = try fields.value(.timestepSpacing, or: "leading")
    rescalesToZeroSNR = try fields.value(.rescalesToZeroSNR, or: false)
    snrShiftScale = try fields.value(.snrShiftScale, or: 3)
  }
}

/// The fields of diffusers' `FlowMatchEulerDiscreteScheduler`.
struct FlowMatchConfiguration: Decodable {
  var trainingSteps: Double
  var shift: Double
  var shiftsByTokens: Bool
  var baseShift, maxShift: Double
  var baseTokens, maxTokens: Double
  var shiftTerminal: Double
  var timeShiftType: String
  var samplesStochastically: Bool
  /// Options that are on and not supported.
  var unsupported: [String]

  enum CodingKeys: String, CodingKey {
    case trainingSteps = "num_train_timesteps", shift, shiftsByTokens = "use_dynamic_shifting", baseShift = "base_shift"
    case maxShift = "max_shift", baseTokens = "base_image_seq_len", maxTokens = "max_image_seq_len"
    case shiftTerminal = "shift_terminal", timeShiftType = "time_shift_type", samplesStochastically = "stochastic_sampling"
    case invertSigmas = "invert_sigmas", karras = "use_karras_sigmas", exponential = "use_exponential_sigmas", beta = "use_beta_sigmas"
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    trainingSteps = try fields.value(.trainingSteps, or: 1000)
    shift = try fields.value(.shift, or: 1)
    shiftsByTokens = try fields.value(.shiftsByTokens, or: false)
    baseShift = try fields.value(.baseShift, or: 0.5)
    maxShift = try fields.value(.maxShift, or: 1.15)
    baseTokens = try fields.value(.baseTokens, or: 256)
    maxTokens = try fields.value(.maxTokens, or: 4096)
    shiftTerminal = try fields.value(.shiftTerminal, or: 0)  // diffusers takes 0 as none
    timeShiftType = try fields.value(.timeShiftType, or: "exponential")
    samplesStochastically = try fields.value(.samplesStochastically, or: false)
    unsupported = []
    for key in [CodingKeys.invertSigmas, .karras, .exponential, .beta] where try fields.value(key, or: false) {
      unsupported.append(key.stringValue)
    }
  }
}

extension KeyedDecodingContainer {
  /// The field's value, or the default if it is absent or null. Whatever is wrong with it, the error names the field.
  fileprivate func value<Value: Decodable>(_ key: Key, or standard: Value) throws -> Value {
    do {
      return try decodeIfPresent(Value.self, forKey: key) ?? standard
    } catch {
      throw DecodingError.typeMismatch(Value.self, .init(codingPath: codingPath + [key], debugDescription: ""))
    }
  }
}

/// Errors that name a file and a field.
struct FieldCheck {
  let path: String
  /// Bounds what a file can make this process allocate: a thousand times what models are trained with.
  static let mostTrainingSteps = 1_000_000

  func error(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, reason) }

  func require(_ isRight: Bool, _ field: String, _ value: some Any, _ wanted: String) throws(WeightsError) {
    guard isRight else {
      let value = value is String ? "\"\(String(describing: value).prefix(100))\"" : "\(value)"
      throw error("has \(value) as \"\(field)\", not \(wanted)")
    }
  }

  /// A whole number.
  func integer(_ field: String, _ value: Double, in range: ClosedRange<Int>) throws(WeightsError) -> Int {
    let number = Int(exactly: value)
    try require(number.map(range.contains) ?? false, field, value, "a whole number in \(range.lowerBound)...\(range.upperBound)")
    return number ?? range.lowerBound
  }

  func option<Option: RawRepresentable<String>>(_ field: String, _ value: String, _ wanted: String) throws(WeightsError) -> Option {
    guard let option = Option(rawValue: value) else {
      try require(false, field, value, wanted)
      throw error("has no \"\(field)\"")
    }
    return option
  }

  /// How often a model is asked, which the caller says and the file bounds.
  func steps(_ steps: Int, trainingSteps: Int) throws(WeightsError) {
    guard (1...trainingSteps).contains(steps) else {
      throw error("has \(trainingSteps) as \"num_train_timesteps\", which allows 1...\(trainingSteps) steps, not \(steps)")
    }
  }
}
