import CGStreamer

/// One counted reference to an object of GStreamer, given back when the last value that shares it goes.
final class Reference<Object>: @unchecked Sendable {
  /// nil once it was given away.
  fileprivate(set) var pointer: UnsafeMutablePointer<Object>?
  private let release: (UnsafeMutableRawPointer) -> Void

  /// Takes a reference that the caller has.
  fileprivate init(taking pointer: UnsafeMutablePointer<Object>, release: @escaping (UnsafeMutableRawPointer) -> Void) {
    self.pointer = pointer
    self.release = release
  }

  deinit { if let pointer { release(UnsafeMutableRawPointer(pointer)) } }
}

/// A Swift value over a mini object: a buffer, an event, caps, a sample, a message.
///
/// Copies of the value share one reference. It is safe to hand them to other threads, as the objects' counts are atomic and
/// nobody writes into what is shared.
public protocol MiniObject: Sendable {
  /// The C structure.
  associatedtype Object

  /// Takes the caller's reference.
  init(taking pointer: UnsafeMutablePointer<Object>)
}

extension Reference {
  /// Of a mini object.
  convenience init(miniObject pointer: UnsafeMutablePointer<Object>) {
    self.init(taking: pointer) { gst_mini_object_unref($0.assumingMemoryBound(to: GstMiniObject.self)) }
  }

  /// Of a GObject.
  convenience init(object pointer: UnsafeMutablePointer<Object>) { self.init(taking: pointer) { gst_object_unref($0) } }

  var miniObject: UnsafeMutablePointer<GstMiniObject>? {
    pointer.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: GstMiniObject.self) }
  }
}

/// Gives a reference to a call of the C API that takes it: this one if nobody else holds the value, else another.
///
/// So what passes an element untouched arrives downstream with the count that it came with, and can be written there.
func giveAway<Object>(_ reference: inout Reference<Object>) -> UnsafeMutablePointer<Object>? {
  if isKnownUniquelyReferenced(&reference) {
    defer { reference.pointer = nil }
    return reference.pointer
  }
  if let object = reference.miniObject { gst_mini_object_ref(object) }
  return reference.pointer
}

extension MiniObject {
  /// Keeps an object that the caller lends.
  public init(borrowing pointer: UnsafeMutablePointer<Object>) {
    gst_mini_object_ref(UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: GstMiniObject.self))
    self.init(taking: pointer)
  }
}
