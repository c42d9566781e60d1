/// Something that one thread uses at a time, by how it is handed on.
package struct Unshared<Value>: @unchecked Sendable {
  package let value: Value

  package init(_ value: Value) { self.value = value }
}
