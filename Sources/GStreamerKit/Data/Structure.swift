import CGStreamer

/// A name and flat, typed fields: what element messages, custom metadata and custom events carry.
///
/// One value serves all three, so that a fact has the same fields wherever a user meets it:
/// ```swift
/// let fact = Structure("loudness", [("level", .double(-23)), ("running-time", .uint64(40_000_000))])
/// output.post(fact, at: input.index)                  // an element message on the bus
/// output.attach(loudnessMeta, fact, to: input.index)  // metadata of the buffer
/// output.push(.custom(fact), before: input.index)     // an event for elements downstream
/// ```
public struct Structure: Sendable, Hashable {
  /// A name, kebab-case, and a value.
  public struct Field: Sendable, Hashable {
    /// Kebab-case; each once in a structure.
    public var name: String
    /// What applications read by the type of its case.
    public var value: Value

    /// Names are not checked: GStreamer refuses those that it cannot write.
    public init(name: String, value: Value) {
      self.name = name
      self.value = value
    }
  }

  /// Letters, digits and `/-_.:+`, beginning with a letter.
  public var name: String
  /// In the order in which `gst-launch-1.0 -m` prints them.
  public var fields: [Field]

  /// Names are not checked. Fields keep their order.
  public init(_ name: String, _ fields: [(String, Value)] = []) {
    self.name = name
    self.fields = fields.map { Field(name: $0.0, value: $0.1) }
  }

  /// The value of the first field of this name. Cost: a walk through the fields.
  public subscript(_ field: String) -> Value? { fields.first { $0.name == field }?.value }

  /// Fields whose type `Value` does not know are left out.
  public init(_ structure: UnsafePointer<GstStructure>) {
    name = String(cString: gst_structure_get_name(structure))
    fields = (0..<UInt32(max(0, gst_structure_n_fields(structure)))).compactMap { index in
      guard let field = gst_structure_nth_field_name(structure, index),
        let value = gst_structure_get_value(structure, field).flatMap({ Value($0) })
      else { return nil }
      return Field(name: String(cString: field), value: value)
    }
  }

  /// A structure that the caller owns.
  public func makeGstStructure() -> UnsafeMutablePointer<GstStructure>? {
    guard let structure = gst_structure_new_empty(name) else { return nil }
    write(into: structure)
    return structure
  }

  func write(into structure: UnsafeMutablePointer<GstStructure>) {
    for field in fields {
      field.value.withGValue { gst_structure_set_value(structure, field.name, $0) }
    }
  }
}
