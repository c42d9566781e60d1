import CGStreamer

/// One row of an element's signals: a notification to the application, or an action that the application calls.
///
/// ```swift
/// static let signals: [Signal<Counter>] = [
///   .notification("overflow", parameters: [.uint64(0)]),
///   .action("reset") { counter, _ in counter.reset(); return nil },
/// ]
/// ```
public struct Signal<E: Element>: Sendable {
  let name: String
  let parameters: [Value]
  let result: Value?
  let action: (@Sendable (E, [Value]) -> Value?)?

  /// The element emits it with `ElementHandle.emit`. Parameter types are given by example values.
  public static func notification(_ name: String, parameters: [Value] = []) -> Self {
    Self(name: name, parameters: parameters, result: nil, action: nil)
  }

  /// The application emits it (`g_signal_emit_by_name`) and the closure runs on its thread.
  public static func action(
    _ name: String, parameters: [Value] = [], result: Value? = nil, _ body: @escaping @Sendable (E, [Value]) -> Value?
  ) -> Self {
    Self(name: name, parameters: parameters, result: result, action: body)
  }

  func install(in type: GType) {
    var types = parameters.map(\.type)
    let flags = action == nil ? G_SIGNAL_RUN_LAST : GSignalFlags(rawValue: G_SIGNAL_RUN_LAST.rawValue | G_SIGNAL_ACTION.rawValue)
    var closure: UnsafeMutablePointer<GClosure>?
    if let action {
      // Lives as long as the class, which is for ever.
      let box = Unmanaged.passRetained(
        ActionBox { object, arguments in
          (object.core.anyElement as? E).flatMap { action($0, arguments) }
        })
      closure = g_closure_new_simple(UInt32(MemoryLayout<GClosure>.size), box.toOpaque())
      g_closure_set_marshal(closure) { closure, result, count, values, _, _ in
        guard let data = closure?.pointee.data, let values, count > 0, let instance = g_value_get_object(values),
          let object = ElementClass.object(of: instance)
        else { return }
        let box = Unmanaged<ActionBox>.fromOpaque(data).takeUnretainedValue()
        let arguments = (1..<max(1, Int(count))).compactMap { Value(values + $0) }
        if let answer = box.run(object, arguments), let result, result.pointee.g_type == answer.type {
          answer.store(in: result)
        }
      }
    }
    g_signal_newv(name, type, flags, closure, nil, nil, nil, result?.type ?? FundamentalType.none, UInt32(types.count), &types)
  }
}

private final class ActionBox: Sendable {
  let run: @Sendable (ElementObject, [Value]) -> Value?
  init(_ run: @escaping @Sendable (ElementObject, [Value]) -> Value?) { self.run = run }
}

func emitSignal(_ name: String, _ arguments: [Value], on object: UnsafeMutablePointer<GObject>) -> Value? {
  let type = object.pointee.g_type_instance.g_class.pointee.g_type
  let id = g_signal_lookup(name, type)
  guard id != 0 else { return nil }
  var query = GSignalQuery()
  g_signal_query(id, &query)
  guard Int(query.n_params) == arguments.count else { return nil }
  var values = [GValue](repeating: GValue(), count: arguments.count + 1)
  return values.withUnsafeMutableBufferPointer { values -> Value? in
    guard let first = values.baseAddress else { return nil }
    g_value_init(first, type)
    g_value_set_object(first, object)
    for (index, argument) in arguments.enumerated() {
      g_value_init(first + index + 1, argument.type)
      argument.store(in: first + index + 1)
    }
    defer { for index in 0...arguments.count { g_value_unset(first + index) } }
    guard query.return_type != FundamentalType.none else {
      g_signal_emitv(first, id, 0, nil)
      return nil
    }
    var result = GValue()
    g_value_init(&result, query.return_type)
    g_signal_emitv(first, id, 0, &result)
    defer { g_value_unset(&result) }
    return Value(&result)
  }
}
