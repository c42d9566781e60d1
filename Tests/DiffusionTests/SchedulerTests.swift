import Diffusion
import Tensors
import Testing

/// What diffusers did with one of the fixture's configurations.
private struct Case {
  struct Values: Decodable {
    var steps, tokens: Int
    var timesteps: [Double]
    var alphas: [[Double]]?
    var other: [[Entry]]?
  }
  /// A number of steps, or its timesteps.
  enum Entry: Decodable {
    case steps(Int), timesteps([Double])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = try (try? container.decode(Int.self)).map(Entry.steps) ?? .timesteps(container.decode([Double].self))
    }
  }

  let fixture: Fixture
  let values: Values

  init(_ name: String) throws {
    fixture = Fixture("sampling/" + name)
    values = try ConfigurationFile.read(path: fixture.folder + "/values.json")
  }

  func scheduler(steps: Int? = nil) throws -> Scheduler {
    try Scheduler(folder: fixture.folder, steps: steps ?? values.steps, tokens: values.tokens)
  }
}

private let cogVideoX = [
  "ddim-2b", "ddim-5b", "ddim-defaults", "ddim-epsilon-leading", "ddim-sample-linspace", "ddim-rough-trailing", "dpm-2b",
  "dpm-5b", "dpm-epsilon-linspace", "dpm-sample-leading",
]
private let flowMatch = ["flow-1", "flow-3", "flow-exponential", "flow-linear", "flow-terminal", "flow-stochastic"]

@Suite("Schedulers")
struct SchedulerTests {
  @Test("A trajectory of many steps is diffusers' within 1e-6", arguments: cogVideoX + flowMatch)
  func aTrajectoryIsDiffusers(_ name: String) throws {
    let reference = try Case(name)
    let scheduler = try reference.scheduler()
    let ripple = try reference.fixture.floats("ripple").values
    let (trajectory, shape) = try reference.fixture.floats("trajectory")
    let noise = try scheduler.needsNoise ? reference.fixture.floats("noise").values : []
    let count = ripple.count
    #expect(shape == [scheduler.timesteps.count + 1, count])
    func row(_ values: [Float], _ index: Int) -> [Float] { Array(values.dropFirst(index * count).prefix(count)) }

    var sample = row(trajectory, 0)
    var state = SchedulerState()
    var worst: Float = 0
    for index in scheduler.timesteps.indices {
      let prediction = zip(sample, ripple).map { 0.3 * $0 + $1 }
      scheduler.step(index, prediction: prediction, sample: &sample, noise: row(noise, index), state: &state)
      worst = max(worst, difference(sample, from: row(trajectory, index + 1)))
    }
    #expect(worst < 1e-6)
  }

  @Test("Timesteps are diffusers'", arguments: cogVideoX + flowMatch)
  func timestepsAreDiffusers(_ name: String) throws {
    let reference = try Case(name)
    let timesteps = try reference.scheduler().timesteps
    #expect(timesteps.count == reference.values.timesteps.count)
    #expect(zip(timesteps, reference.values.timesteps).allSatisfy { abs($0 - $1) <= 1e-7 * 1000 })
    for entry in reference.values.other ?? [] {
      guard case .steps(let steps) = entry[0], case .timesteps(let expected) = entry[1] else { continue }
      #expect(try reference.scheduler(steps: steps).timesteps == expected)
    }
  }

  @Test("Timesteps of 1 to 1000 steps are diffusers', with every spacing")
  func timestepsOfEveryNumberOfStepsAreDiffusers() throws {
    let sums: [String: [Double]] = try ConfigurationFile.read(path: Fixture("sampling").folder + "/checksums.json")
    #expect(sums.count == 3)
    for (spacing, expected) in sums {
      let folder = TemporaryFolder()
      folder.write(#"{"_class_name": "CogVideoXDDIMScheduler", "prediction_type": "v_prediction", "timestep_spacing": "\#(spacing)"}"#)
      for (index, sum) in expected.enumerated() {
        let timesteps = try Scheduler(folder: folder.path, steps: index + 1, tokens: 0).timesteps
        guard timesteps.enumerated().reduce(0, { $0 + Double($1.offset + 1) * $1.element }) == sum else {
          Issue.record("\(index + 1) steps with \(spacing) spacing")
          return
        }
      }
    }
  }

  @Test("Signal and noise by timestep are diffusers'", arguments: cogVideoX)
  func noiseLevelsAreDiffusers(_ name: String) throws {
    let reference = try Case(name)
    let scheduler = try reference.scheduler()
    for pair in try #require(reference.values.alphas) {
      let levels = scheduler.levels(at: pair[0])
      #expect(abs(levels.signal * levels.signal - pair[1]) <= 1.2e-7 * pair[1] + 1e-15)
    }
  }

  @Test("The published models' noise levels are those of their papers' code")
  func noiseLevelsAreThePublishedModels() throws {
    for (name, alphas, sigma) in [
      ("ddim-2b", [0.997454328, 0.946572979, 0.095969562, 2.719436e-5, 0], 0.0505),
      ("ddim-5b", [0.999150000, 0.981010457, 0.242359167, 8.578784e-5, 0], 0.0292),
    ] {
      let scheduler = try Case(name).scheduler()
      for (timestep, alpha) in zip([0.0, 19, 499, 979, 999], alphas) {
        let signal = scheduler.levels(at: timestep).signal
        #expect(abs(signal * signal - alpha) <= 2e-7 * alpha)
      }
      #expect(abs(scheduler.levels(at: 0).noise - sigma) < 5e-5)
    }
  }

  @Test("A sample with noise added is diffusers' within 1e-6", arguments: cogVideoX)
  func addedNoiseIsDiffusers(_ name: String) throws {
    let reference = try Case(name)
    let scheduler = try reference.scheduler()
    let clean = try reference.fixture.floats("clean").values
    let noise = try reference.fixture.floats("added").values
    let noisy = try reference.fixture.floats("noisy").values
    for (row, timestep) in [0.0, 19, 250].enumerated() {
      var sample = clean
      scheduler.addNoise(noise, to: &sample, timestep: timestep)
      #expect(difference(sample, from: Array(noisy.dropFirst(row * clean.count).prefix(clean.count))) < 1e-6)
    }
  }

  @Test("Flow matching adds noise along a straight line")
  func flowMatchingAddsNoiseAlongAStraightLine() throws {
    let scheduler = try Case("flow-3").scheduler()
    for (timestep, sigma) in [(0.0, 0.0), (250, 0.25), (1000, 1), (1e9, 1), (-1, 0), (.nan, 0)] {
      #expect(scheduler.levels(at: timestep) == (1 - sigma, sigma))
    }
  }

  @Test("A timestep outside training has the nearest one's noise level")
  func noiseLevelsOutsideTheTrainingStepsAreTheNearest() throws {
    let scheduler = try Case("ddim-2b").scheduler()
    for (outside, inside) in [(-5.0, 0.0), (.nan, 0), (1000, 999), (.infinity, 999)] {
      #expect(scheduler.levels(at: outside) == scheduler.levels(at: inside))
    }
  }

  @Test("A CogVideoX file serves both of its schedulers, and no other's")
  func aCogVideoXFileFitsBothOfItsSchedulers() throws {
    let folder = Fixture("sampling/ddim-5b").folder
    #expect(try Scheduler(folder: folder, steps: 5, tokens: 0).kind == .ddim)
    let other = try Scheduler(folder: folder, steps: 5, tokens: 0, kind: .dpm)
    #expect(other.kind == .dpm && other.needsNoise)
    #expect(throws: WeightsError.self) { try Scheduler(folder: folder, steps: 5, tokens: 0, kind: .flowMatchEuler) }
    #expect(throws: WeightsError.self) { try Scheduler(folder: Fixture("sampling/flow-1").folder, steps: 5, tokens: 0, kind: .ddim) }
  }

  @Test("An extreme but valid configuration gives finite samples")
  func anExtremeButValidConfigurationGivesFiniteSteps() throws {
    for (json, steps) in [
      (#"{"_class_name": "CogVideoXDPMScheduler", "prediction_type": "sample"}"#, 1000),
      (#"{"_class_name": "CogVideoXDPMScheduler", "prediction_type": "v_prediction", "rescale_betas_zero_snr": true}"#, 1000),
      (#"{"_class_name": "CogVideoXDDIMScheduler", "num_train_timesteps": 1, "beta_end": 0.5}"#, 1),
      (#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 1e6, "num_train_timesteps": 1000000}"#, 1000),
    ] {
      let folder = TemporaryFolder()
      folder.write(json)
      let scheduler = try Scheduler(folder: folder.path, steps: steps, tokens: 0)
      var (sample, state) = ([Float](repeating: 1, count: 3), SchedulerState())
      for index in scheduler.timesteps.indices {
        scheduler.step(index, prediction: [0.5, -1, 0], sample: &sample, noise: [1, 0, -1], state: &state)
      }
      #expect(sample.allSatisfy { $0.isFinite })
    }
  }
}

@Suite("Bad scheduler configurations")
struct SchedulerErrorTests {
  private func refusal(of json: String, steps: Int = 10, tokens: Int = 0) -> WeightsError? {
    let folder = TemporaryFolder()
    folder.write(json)
    do {
      _ = try Scheduler(folder: folder.path, steps: steps, tokens: tokens)
      return nil
    } catch {
      #expect(error.path == folder.path + "/scheduler_config.json")
      return error
    }
  }

  @Test(
    "A wrong field of CogVideoX's schedulers is refused by name",
    arguments: [
      ("num_train_timesteps", "0"), ("num_train_timesteps", "1000000000000"), ("num_train_timesteps", "-1000"),
      ("num_train_timesteps", "999.5"), ("num_train_timesteps", "1e300"), ("num_train_timesteps", "\"many\""),
      ("num_train_timesteps", "9"), ("beta_start", "0"), ("beta_start", "-0.1"), ("beta_start", "1"), ("beta_start", "1e-300"),
      ("beta_start", "[]"), ("beta_end", "1.5"), ("snr_shift_scale", "0"),
      ("snr_shift_scale", "-3"), ("snr_shift_scale", "1e-300"), ("beta_schedule", "\"squaredcos_cap_v2\""), ("beta_schedule", "7"),
      ("trained_betas", "[0.1, 0.2]"), ("timestep_spacing", "\"karras\""), ("prediction_type", "\"flow\""), ("steps_offset", "-1"),
      ("steps_offset", "100"), ("steps_offset", "0.5"), ("set_alpha_to_one", "1"), ("rescale_betas_zero_snr", "\"yes\""),
    ])
  func aWrongFieldOfCogVideoXIsNamed(_ field: String, _ value: String) throws {
    for name in ["CogVideoXDDIMScheduler", "CogVideoXDPMScheduler"] {
      let error = try #require(refusal(of: #"{"_class_name": "\#(name)", "\#(field)": \#(value)}"#))
      #expect(error.reason.contains("\"\(field)\""), "\(error)")
    }
  }

  @Test(
    "A wrong or unsupported field of flow matching is refused by name",
    arguments: [
      ("num_train_timesteps", "0"), ("num_train_timesteps", "1000000000000"), ("shift", "0"), ("shift", "-3"),
      ("num_train_timesteps", "5"), ("shift_terminal", "1"), ("shift_terminal", "-0.1"),
      ("use_karras_sigmas", "true"), ("use_exponential_sigmas", "true"), ("use_beta_sigmas", "true"), ("invert_sigmas", "true"),
      ("time_shift_type", "\"cubic\""), ("stochastic_sampling", "3"),
      ("base_image_seq_len", "5000, \"use_dynamic_shifting\": true"), ("base_shift", "-5000, \"use_dynamic_shifting\": true"),
      ("max_shift", "1e300, \"use_dynamic_shifting\": true"),
      ("base_shift", "-1, \"time_shift_type\": \"linear\", \"use_dynamic_shifting\": true"),
    ])
  func aWrongFieldOfFlowMatchingIsNamed(_ field: String, _ value: String) throws {
    let error = try #require(
      refusal(of: #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "\#(field)": \#(value)}"#, tokens: field == "max_shift" ? 9999 : 0))
    #expect(error.reason.contains("\"\(field)\""), "\(error)")
  }

  @Test("A class that is unknown or missing is refused by name, however long")
  func anUnknownClassIsNamed() throws {
    #expect(try #require(refusal(of: #"{"_class_name": "PNDMScheduler"}"#)).reason.contains("PNDMScheduler"))
    #expect(try #require(refusal(of: "{}")).reason.contains("_class_name"))
    let long = try #require(refusal(of: #"{"_class_name": "\#(String(repeating: "x", count: 1 << 20))"}"#))
    #expect(long.reason.utf8.count < 1000)
  }

  @Test("A number of steps that training does not allow is refused", arguments: [0, -1, 1001, Int.max, Int.min])
  func aNumberOfStepsThatTrainingDoesNotAllowIsAnError(_ steps: Int) {
    for name in ["CogVideoXDDIMScheduler", "FlowMatchEulerDiscreteScheduler"] {
      #expect(refusal(of: #"{"_class_name": "\#(name)"}"#, steps: steps)?.reason.contains("\(steps)") == true)
    }
  }

  @Test("A model that predicts noise is refused at a timestep without signal")
  func epsilonWithoutSignalIsAnError() throws {
    let json = #"{"_class_name": "CogVideoXDDIMScheduler", "rescale_betas_zero_snr": true, "timestep_spacing": "trailing"}"#
    #expect(try #require(refusal(of: json)).reason.contains("\"prediction_type\""))
  }

  @Test("A single step that cannot be stretched to a terminal level is refused")
  func oneStepHasNothingToStretchToATerminalLevel() throws {
    let json = #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift_terminal": 0.1}"#
    #expect(try #require(refusal(of: json, steps: 1)).reason.contains("\"shift_terminal\""))
    #expect(refusal(of: json, steps: 2) == nil)
  }

  @Test("With random bytes changed a configuration is refused, or its steps are finite")
  func damagedConfigurations() {
    var random = SplitMix(state: 7)
    let bytes = Array("0123456789.-eE\"{}[],:truefalsn\\".utf8)
    let folder = TemporaryFolder()
    var refused = 0
    let cogVideoX = """
      "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", \
      "prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "snr_shift_scale": 3.0, "steps_offset": 0, \
      "timestep_spacing": "trailing", "trained_betas": null, "set_alpha_to_one": true
      """
    for json in [
      #"{"_class_name": "CogVideoXDDIMScheduler", \#(cogVideoX)}"#, #"{"_class_name": "CogVideoXDPMScheduler", \#(cogVideoX)}"#,
      #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true, "max_shift": 2.05, "shift_terminal": 0.1}"#,
    ] {
      let good = Array(json.utf8)
      for _ in 0..<1000 {
        var file = good
        for _ in 0...random.next(3) { file[random.next(file.count)] = bytes[random.next(bytes.count)] }
        let path = folder.write(file, name: "scheduler_config.json")
        do {
          let scheduler = try Scheduler(folder: folder.path, steps: 4, tokens: 500)
          var (sample, state) = ([Float](repeating: 1, count: 2), SchedulerState())
          for index in scheduler.timesteps.indices {
            scheduler.step(index, prediction: [0, 0], sample: &sample, noise: [0, 0], state: &state)
          }
          #expect(scheduler.timesteps.count == 4 && sample.allSatisfy { $0.isFinite })
        } catch {
          refused += 1
          #expect(error.path == path)
        }
      }
    }
    #expect(refused > 100)
  }

  @Test("What is no finite number is refused", arguments: ["NaN", "Infinity", "1e999"])
  func numbersBeyondJSON(_ value: String) {
    #expect(refusal(of: #"{"_class_name": "CogVideoXDDIMScheduler", "beta_end": \#(value)}"#) != nil)
  }

  @Test("A missing file is an error")
  func aMissingFileIsNotFound() {
    #expect(throws: WeightsError.self) { try Scheduler(folder: "/nonexistent", steps: 10, tokens: 0) }
  }
}

@Suite("Guidance")
struct GuidanceTests {
  @Test("Guidance goes on from the prediction without the prompt past the one with it")
  func guidanceGoesOnFromTheUnconditionalPrediction() {
    var prediction: [Float] = [1, 2, -1]
    Guidance.apply(6, unconditional: [0.5, 2, 1], to: &prediction)
    #expect(prediction == [3.5, 2, -11])
    #expect(Guidance(scale: 6).isNeeded && !Guidance(scale: 1).isNeeded)
    #expect(Guidance(scale: 6).scale(at: 500, steps: 50) == 6)
  }

  @Test("Dynamic guidance is diffusers', also where its cosine turns many times")
  func dynamicGuidanceIsDiffusers() throws {
    let rows: [[Double]] = try ConfigurationFile.read(path: Fixture("sampling").folder + "/guidance.json")
    #expect(rows.count > 50)
    for row in rows {
      let scale = Guidance(scale: row[0], isDynamic: true).scale(at: row[2], steps: Int(row[1]))
      #expect(abs(scale - row[3]) < 1e-12, "\(row)")
    }
  }
}

extension TemporaryFolder {
  fileprivate func write(_ json: String) { write(Array(json.utf8), name: "scheduler_config.json") }
}

/// Numbers that are random enough to damage files with, and the same in every run.
private struct SplitMix {
  var state: UInt64

  /// Below `bound`.
  mutating func next(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ z >> 31) % UInt64(bound))
  }
}
