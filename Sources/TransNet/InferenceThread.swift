import Tensors
import Threads

/// What happens to a frame when inference has fallen so far behind that its queue is full.
public enum LatePolicy: Hashable, Sendable {
  /// The stream waits.
  case wait
  /// The network does not see the frame: its shots are found with less to go by.
  case skip
}

/// Why the network does not run.
public enum TransNetError: Error, Sendable, CustomStringConvertible {
  case weights(WeightsError)
  case kernels(ComputeError)
  /// The system gave no thread, with this error number.
  case thread(Int32)

  public var description: String {
    switch self {
    case .weights(let error): error.description
    case .kernels(let error): error.description
    case .thread(let code): "No thread for inference: system error \(code)"
    }
  }
}

/// The one thread that runs the network, with a bounded queue of frames before it and one of predictions behind it.
///
/// Frames are never dropped from the stream; what happens when the queue is full is the caller's policy. Predictions do
/// not depend on how frames were queued.
public final class InferenceThread: Sendable {
  /// Frames that may wait. As many are computed at a time at most.
  public static let capacity = 16

  /// As ``Predictor/lookAhead``.
  public let lookAhead: Int

  private struct Shared {
    /// `[count][27][48][3]`.
    var frames: [UInt8] = []
    var predictions: [Prediction] = []
    /// What the thread has still to do besides computing frames.
    var request: Request?
    var error: TransNetError?

    var count: Int { frames.count / Network.frameBytes }
  }

  private enum Request { case finish, reset, end }

  private let shared = Monitor(Shared())
  private let thread: BackgroundThread

  /// Reads the weights and makes the kernels ready; returns when that is done, in about a fifth of a second.
  ///
  /// - Parameters:
  ///   - folder: of the model, as ``TransNetWeights/init(folder:)`` takes it.
  ///   - threads: 1, 2 or 4 that share the computing; other numbers are rounded down.
  public init(folder: String, windowing: Windowing, precision: Precision, threads: Int) throws(TransNetError) {
    let made = Monitor<Result<Int, TransNetError>?>(nil)
    let shared = shared
    do {
      thread = try BackgroundThread {
        ComputeLibrary.useOneThread()
        let predictor: any Predictor
        do throws(TransNetError) {
          predictor = try Self.load(folder, windowing, precision, threads)
        } catch {
          return made.change { $0 = .failure(error) }
        }
        made.change { $0 = .success(predictor.lookAhead) }
        Self.run(predictor, shared)
      }
    } catch {
      throw .thread(error.code)
    }
    switch made.wait({ $0 }) {
    case .success(let lookAhead): self.lookAhead = lookAhead
    case .failure(let error):
      thread.join()
      throw error
    }
  }

  deinit {
    shared.change { $0.request = .end }
    thread.join()
  }

  private static func load(
    _ folder: String, _ windowing: Windowing, _ precision: Precision, _ threads: Int
  ) throws(TransNetError) -> any Predictor {
    let weights: TransNetWeights
    do { weights = try TransNetWeights(folder: folder) } catch { throw .weights(error) }
    do { return try weights.makePredictor(windowing, precision: precision, threads: threads) } catch { throw .kernels(error) }
  }

  // MARK: The streaming thread's side

  /// Hands over a frame, 3,888 levels. False if there is no room and nobody shall wait.
  public func submit(_ frame: UnsafeBufferPointer<UInt8>, _ policy: LatePolicy) throws(TransNetError) -> Bool {
    let taken: Result<Bool, TransNetError> = shared.wait { state in
      if let error = state.error { return .failure(error) }
      guard state.count < Self.capacity else { return policy == .skip ? .success(false) : nil }
      return .success(true)
    }
    guard try taken.get() else { return false }
    shared.change { $0.frames += frame }
    return true
  }

  /// Appends what is known by now.
  ///
  /// - Parameter least: how many predictions to wait for.
  public func takePredictions(into predictions: inout [Prediction], least: Int = 0) throws(TransNetError) {
    let new: Result<[Prediction], TransNetError> = shared.wait { state in
      if let error = state.error { return .failure(error) }
      guard state.predictions.count >= least else { return nil }
      defer { state.predictions.removeAll(keepingCapacity: true) }
      return .success(state.predictions)
    }
    predictions += try new.get()
  }

  /// The stream is over: appends all predictions that are missing. The next frame begins a new stream.
  public func finish(into predictions: inout [Prediction]) throws(TransNetError) {
    wait(for: .finish)
    try takePredictions(into: &predictions)
  }

  /// Forgets the stream, with all that is queued.
  public func reset() {
    shared.change { $0.frames.removeAll(keepingCapacity: true) }
    wait(for: .reset)
    shared.change { $0.predictions.removeAll(keepingCapacity: true) }
  }

  private func wait(for request: Request) {
    shared.change { $0.request = request }
    shared.wait { $0.request == nil || $0.error != nil ? () : nil }
  }

  // MARK: The inference thread's side

  private static func run(_ predictor: any Predictor, _ shared: Monitor<Shared>) {
    enum Task { case compute([UInt8]), perform(Request) }
    var predictions: [Prediction] = []
    while true {
      let task: Task = shared.wait { state in
        if case .end? = state.request { return .perform(.end) }
        if case .reset? = state.request { return .perform(.reset) }
        let count = min(state.count, predictor.bestCount)
        if count >= predictor.leastCount || (count > 0 && state.request != nil) {
          let taken = count - (count == predictor.bestCount || state.request != nil ? 0 : count % predictor.leastCount)
          let bytes = Array(state.frames.prefix(taken * Network.frameBytes))
          return .compute(bytes)
        }
        return state.request.map { .perform($0) }
      }
      do throws(ComputeError) {
        switch task {
        case .compute(let frames):
          try frames.withUnsafeBufferPointer { (frames) throws(ComputeError) in
            guard let base = frames.baseAddress else { return }
            try predictor.push(base, count: frames.count / Network.frameBytes, into: &predictions)
          }
          let count = frames.count
          let new = predictions
          shared.change { state in
            // A reset in between has emptied the queue.
            state.frames.removeFirst(min(count, state.frames.count))
            state.predictions += new
          }
        case .perform(.finish):
          try predictor.finish(into: &predictions)
          let new = predictions
          shared.change { state in
            state.predictions += new
            state.request = nil
          }
        case .perform(.reset):
          predictor.reset()
          shared.change { $0.request = nil }
        case .perform(.end): return
        }
      } catch {
        shared.change { $0.error = .kernels(error) }
        // Nothing more will come; whoever asks is told why.
        shared.wait { state in if case .end? = state.request { () } else { nil } }
        return
      }
      predictions.removeAll(keepingCapacity: true)
    }
  }
}
