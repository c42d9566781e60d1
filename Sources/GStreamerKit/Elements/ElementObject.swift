import CGStreamer
import Synchronization

/// An element with its settings and readings, whatever its type: what property callbacks need.
protocol AnyElementCore: AnyObject, Sendable {
  var anyElement: any Element { get }
  func property(_ index: Int) -> Value?
  func setProperty(_ index: Int, _ value: Value, isUTF8: Bool)
}

/// An element with its settings and readings, each under its own lock; neither lock is held while anything else is done.
final class ElementCore<E: Element>: AnyElementCore {
  let element: E
  let handle: ElementHandle
  private let table: [Property<E>]
  private let settingsLock = Mutex(E.Settings())
  private let readingsLock = Mutex(E.Readings())
  /// Properties that are names of files and no UTF-8, with what can be shown of them.
  private let unreadable = Mutex<[String: String]>([:])

  init(_ type: E.Type, _ handle: ElementHandle, _ table: [Property<E>]) {
    element = E(handle)
    self.handle = handle
    self.table = table
  }

  var anyElement: any Element { element }

  var settings: E.Settings { settingsLock.withLock { $0 } }

  /// The settings for a run that begins.
  ///
  /// - Throws: RESOURCE/SETTINGS for a file name that is no UTF-8.
  func checkedSettings() throws -> E.Settings {
    if let (name, text) = unreadable.withLock({ $0.first }) {
      throw ElementError.resource(GST_RESOURCE_ERROR_SETTINGS, "\(name): the name \"\(text)\" is not in UTF-8, as names have to be here.")
    }
    return settings
  }

  var readings: E.Readings {
    get { readingsLock.withLock { $0 } }
    set { readingsLock.withLock { $0 = newValue } }
  }

  func property(_ index: Int) -> Value? {
    guard table.indices.contains(index) else { return nil }
    return table[index].get(settings, readings)
  }

  func setProperty(_ index: Int, _ value: Value, isUTF8: Bool) {
    guard table.indices.contains(index) else { return }
    if case .fileName = table[index].kind, case .string(let text) = value {
      unreadable.withLock { $0[table[index].name] = isUTF8 ? nil : text }
    }
    settingsLock.withLock { table[index].set(&$0, value) }
  }
}

/// The Swift object behind a GObject. C callbacks know this type and its subclasses for each way that data can flow.
class ElementObject {
  let core: any AnyElementCore
  let handle: ElementHandle
  /// How many pads of a template were asked for without a name.
  private let numbers = Mutex<[String: UInt32]>([:])

  init(_ core: any AnyElementCore, _ handle: ElementHandle) {
    self.core = core
    self.handle = handle
  }

  /// The GObject is there and points here: pads can be added.
  func instanceReady() {}

  /// A property was set, on the thread that set it. No lock is held.
  func settingsChanged() {}

  /// The class's own template, which its pads share.
  func registered(_ template: PadTemplate) -> UnsafeMutablePointer<GstPadTemplate>? {
    let gclass = UnsafeMutableRawPointer(handle.element.pointee.object.object.g_type_instance.g_class)
    return gst_element_class_get_pad_template(gclass?.assumingMemoryBound(to: GstElementClass.self), template.name)
  }

  /// A name for a pad that is asked for without one: "sink_%u" → "sink_0", the first that is free; others are names.
  func nextName(_ template: String) -> String {
    let before = template.prefix { $0 != "%" }
    let after = template.dropFirst(before.count + 2)
    guard before.count < template.count else { return template }
    while true {
      let number = numbers.withLock { numbers in
        defer { numbers[template, default: 0] &+= 1 }
        return numbers[template, default: 0]
      }
      let name = "\(before)\(number)\(after)"
      if handle.pad(name) == nil { return name }
    }
  }

  /// Runs `body`; an error is posted on the bus and yields nil.
  func reporting<T>(_ body: () throws -> T) -> T? {
    do {
      return try body()
    } catch {
      handle.post(ElementError(converting: error))
      return nil
    }
  }
}
