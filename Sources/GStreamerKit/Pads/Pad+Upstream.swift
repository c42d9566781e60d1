import CGStreamer

extension Pad {
  /// Whether an element that one of these factories has made lies before this sink pad, as far as pads are linked now; in
  /// bins too.
  public func comes(from factories: Set<String>) -> Bool { comes(from: factories, depth: 100) }

  /// - Parameter depth: how many elements are looked at in a row.
  private func comes(from factories: Set<String>, depth: Int) -> Bool {
    guard depth > 0, let peer = gst_pad_get_peer(gst).map({ Pad(taking: $0) }), let source = peer.innermost else { return false }
    guard let parent = gst_object_get_parent(source.gst.object) else { return false }
    defer { gst_object_unref(parent) }
    // Behind the sink pad of a bin lies another pad of the bin's, which belongs to the first.
    if parent.isKind(of: gst_ghost_pad_get_type()) {
      return Pad(borrowing: UnsafeMutableRawPointer(parent).assumingMemoryBound(to: GstPad.self)).comes(from: factories, depth: depth - 1)
    }
    guard parent.isKind(of: gst_element_get_type()) else { return false }
    let element = UnsafeMutableRawPointer(parent).assumingMemoryBound(to: GstElement.self)
    if let factory = element.factoryName, factories.contains(factory) { return true }
    return element.sinkPads.contains { $0.comes(from: factories, depth: depth - 1) }
  }

  /// The pad of the element that a bin's source pad stands for.
  private var innermost: Pad? {
    var pad = self
    while pad.gst.object.isKind(of: gst_ghost_pad_get_type()) {
      let ghost = UnsafeMutableRawPointer(pad.gst).assumingMemoryBound(to: GstGhostPad.self)
      guard let target = gst_ghost_pad_get_target(ghost) else { return nil }
      pad = Pad(taking: target)
    }
    return pad
  }
}

extension UnsafeMutablePointer<GstPad> {
  fileprivate var object: UnsafeMutablePointer<GstObject> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: GstObject.self) }
}

extension UnsafeMutablePointer<GstObject> {
  fileprivate func isKind(of type: GType) -> Bool {
    g_type_check_instance_is_a(UnsafeMutableRawPointer(self).assumingMemoryBound(to: GTypeInstance.self), type) != 0
  }
}

private final class Pads { var all: [Pad] = [] }

extension UnsafeMutablePointer<GstElement> {
  fileprivate var factoryName: String? {
    guard let factory = gst_element_get_factory(self) else { return nil }
    return gst_object_get_name(UnsafeMutableRawPointer(factory).assumingMemoryBound(to: GstObject.self)).map { name in
      defer { g_free(name) }
      return String(cString: name)
    }
  }

  fileprivate var sinkPads: [Pad] {
    let pads = Pads()
    gst_element_foreach_sink_pad(
      self,
      { _, pad, pads in
        if let pad, let pads { Unmanaged<Pads>.fromOpaque(pads).takeUnretainedValue().all.append(Pad(borrowing: pad)) }
        return 1
      }, Unmanaged.passUnretained(pads).toOpaque())
    return pads.all
  }
}
