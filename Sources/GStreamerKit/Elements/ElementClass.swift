import CGStreamer

/// How a Swift element becomes a GObject class.
///
/// The instance struct is the parent's with one pointer behind it: a retained `ElementObject`, made in `instance_init`
/// and released in `finalize`. Classes live as long as the process, as all classes of GObject do.
final class ElementClass: @unchecked Sendable {
  let description: ElementDescription
  /// Size of the parent's instance struct, where our pointer lies.
  let offset: Int
  private let parent: GType
  private let installTable: @Sendable (UnsafeMutablePointer<GObjectClass>) -> Void
  private let installCallbacks: @Sendable (UnsafeMutableRawPointer) -> Void
  private let make: @Sendable (ElementHandle) -> ElementObject
  private nonisolated(unsafe) var parentClass: UnsafeMutablePointer<GObjectClass>?

  /// - Parameters:
  ///   - parent: the GObject class below, `gst_element_get_type()` or a base class.
  ///   - callbacks: fills the class struct's function pointers.
  ///   - make: wraps a new instance.
  init<E: Element>(
    _ type: E.Type, parent: GType, callbacks: @escaping @Sendable (UnsafeMutableRawPointer) -> Void,
    make: @escaping @Sendable (ElementCore<E>) -> ElementObject
  ) {
    description = E.description
    self.parent = parent
    var query = GTypeQuery()
    g_type_query(parent, &query)
    offset = Int(query.instance_size)
    installCallbacks = callbacks
    let properties = E.properties
    let signals = E.signals
    installTable = { gobjectClass in
      let settings = E.Settings()
      let readings = E.Readings()
      for (index, property) in properties.enumerated() {
        g_object_class_install_property(
          gobjectClass, UInt32(index + 1), property.makeSpecification(initial: property.get(settings, readings)))
      }
      for signal in signals { signal.install(in: gobjectClass.pointee.g_type_class.g_type) }
    }
    self.make = { handle in make(ElementCore(E.self, handle, properties)) }
  }

  private static let quark = g_quark_from_string("gstreamerkit-element-class")

  /// The class of a type made here, or of a type derived from one.
  static func of(_ type: GType) -> ElementClass? {
    var type = type
    while type != 0 {
      if let data = g_type_get_qdata(type, quark) { return Unmanaged<ElementClass>.fromOpaque(data).takeUnretainedValue() }
      type = g_type_parent(type)
    }
    return nil
  }

  /// The Swift side of an instance of any of our classes.
  static func object(of instance: UnsafeMutableRawPointer) -> ElementObject? {
    let type = instance.assumingMemoryBound(to: GTypeInstance.self).pointee.g_class.pointee.g_type
    guard let known = of(type) else { return nil }
    return object(of: instance, at: known.offset, as: ElementObject.self)
  }

  /// The same in the hot path, where the base class tells the offset and the type.
  static func object<T: ElementObject>(of instance: UnsafeMutableRawPointer, at offset: Int, as type: T.Type) -> T? {
    guard let pointer = instance.load(fromByteOffset: offset, as: UnsafeMutableRawPointer?.self) else { return nil }
    return Unmanaged<T>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Registers the type and the element in a plugin.
  func register(in plugin: OpaquePointer?) -> Bool {
    var query = GTypeQuery()
    g_type_query(parent, &query)
    var info = GTypeInfo()
    info.class_size = UInt16(query.class_size)
    info.instance_size = UInt16(offset + MemoryLayout<UnsafeRawPointer>.size)
    info.class_data = UnsafeRawPointer(Unmanaged.passRetained(self).toOpaque())
    info.class_init = { gclass, data in
      guard let gclass, let data else { return }
      Unmanaged<ElementClass>.fromOpaque(data).takeUnretainedValue().initialize(gclass)
    }
    info.instance_init = { instance, gclass in
      guard let instance, let gclass else { return }
      let type = gclass.assumingMemoryBound(to: GTypeClass.self).pointee.g_type
      ElementClass.of(type)?.attach(to: UnsafeMutableRawPointer(instance))
    }
    let type = g_type_register_static(parent, description.typeName, &info, GTypeFlags(rawValue: 0))
    guard type != 0 else { return false }
    g_type_set_qdata(type, Self.quark, Unmanaged.passUnretained(self).toOpaque())
    return gst_element_register(plugin, description.factory, description.rank, type) != 0
  }

  private func initialize(_ gclass: UnsafeMutableRawPointer) {
    let gobjectClass = gclass.assumingMemoryBound(to: GObjectClass.self)
    parentClass = g_type_class_peek_parent(gclass).map { $0.assumingMemoryBound(to: GObjectClass.self) }
    gobjectClass.pointee.set_property = { object, id, value, _ in
      guard let object, let given = value, let value = Value(given), let known = ElementClass.object(of: object) else { return }
      known.core.setProperty(Int(id) - 1, value, isUTF8: Value.isUTF8(given))
      known.settingsChanged()
    }
    gobjectClass.pointee.get_property = { object, id, value, _ in
      guard let object, let value else { return }
      ElementClass.object(of: object)?.core.property(Int(id) - 1)?.store(in: value)
    }
    gobjectClass.pointee.finalize = { object in
      guard let object, let known = ElementClass.of(object.pointee.g_type_instance.g_class.pointee.g_type) else { return }
      known.detach(from: object)
      known.parentClass?.pointee.finalize?(object)
    }
    installTable(gobjectClass)
    let elementClass = gclass.assumingMemoryBound(to: GstElementClass.self)
    gst_element_class_set_metadata(elementClass, description.longName, description.klass, description.summary, description.author)
    for pad in description.pads {
      if let template = pad.makeTemplate() { gst_element_class_add_pad_template(elementClass, template) }
    }
    installCallbacks(gclass)
  }

  private func attach(to instance: UnsafeMutableRawPointer) {
    let object = make(ElementHandle(element: instance.assumingMemoryBound(to: GstElement.self)))
    instance.storeBytes(of: Unmanaged.passRetained(object).toOpaque(), toByteOffset: offset, as: UnsafeMutableRawPointer?.self)
    object.instanceReady()
  }

  private func detach(from instance: UnsafeMutableRawPointer) {
    guard let pointer = instance.load(fromByteOffset: offset, as: UnsafeMutableRawPointer?.self) else { return }
    instance.storeBytes(of: nil, toByteOffset: offset, as: UnsafeMutableRawPointer?.self)
    Unmanaged<ElementObject>.fromOpaque(pointer).release()
  }
}
