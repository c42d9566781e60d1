import Files
import Tensors

/// A model as diffusers saves it: a folder with `model_index.json` and a folder for each component.
///
/// ```swift
/// let model = try ModelFolder(path: "CogVideoX-2b")
/// let folder = try model.component("transformer", classes: ["CogVideoXTransformer3DModel"])
/// let fields = try ConfigurationFields(path: folder + "/config.json")
/// let weights = try WeightFiles(folder: folder)
/// ```
public struct ModelFolder: Sendable {
  /// As the caller gave it.
  public let path: String
  /// The pipeline's class, such as `CogVideoXPipeline`.
  public let className: String
  /// The class of each component that the model has.
  public let components: [String: String]
  /// What else the file says, such as `requires_safety_checker`.
  public let fields: ConfigurationFields

  static let indexName = "model_index.json"

  /// Reads `model_index.json`.
  ///
  /// - Throws: it is missing or no JSON object, has no `_class_name`, or has a component whose name is no folder's.
  public init(path: String) throws(WeightsError) {
    let index = path + "/" + Self.indexName
    let value: JSONValue
    do throws(WeightsError) { value = try ConfigurationFile.value(path: index) } catch {
      guard error.kind == .notFound, (try? RegularFile.names(in: path)) != nil else { throw error }
      // People name folders of one part of a model, and of other libraries' weights.
      let form = "does not exist: a model is a folder as diffusers saves it, with this file and a folder for each part"
      throw WeightsError(.notFound, path: index, form + ForeignFile.others(in: path))
    }
    guard case .object(let members) = value else {
      throw WeightsError(.malformed, path: index, "is no JSON object of components")
    }
    let fields = ConfigurationFields(path: index, members)
    guard case .string(let className)? = members.first(where: { $0.name == "_class_name" })?.value else {
      throw fields.error("_class_name", "is no class's name")
    }
    var components: [String: String] = [:]
    for (name, value) in members {
      // Lists are components, the library's name and the class's; what is optional and absent is [null, null]. Lists of
      // numbers are settings.
      guard case .array(let pair) = value, !name.hasPrefix("_"), pair.contains(where: { $0.isStringOrNull }) else { continue }
      guard pair.count == 2 else { throw fields.error(name, "has \(pair.count) entries, not a library and a class") }
      switch (pair[0], pair[1]) {
      case (.null, .null): continue
      case (.string, .string(let component)) where isPlainFileName(name): components[name] = component
      case (.string, .string): throw fields.error(name, "is no name of a folder in the model's")
      default: throw fields.error(name, "is no library and class")
      }
    }
    self.path = path
    self.className = className
    self.components = components
    self.fields = fields
  }

  /// The folder of the component `name`, which must be of one of these classes.
  ///
  /// - Throws: the model has no such component, or one of another class.
  public func component(_ name: String, classes: [String]) throws(WeightsError) -> String {
    guard let component = components[name] else { throw fields.error(name, "is absent, not of the class \(Self.list(classes))") }
    guard classes.contains(component) else { throw fields.error(name, "is of the class \"\(component)\", not \(Self.list(classes))") }
    return path + "/" + name
  }

  private static func list(_ classes: [String]) -> String { classes.map { "\"\($0)\"" }.joined(separator: " or ") }
}

extension JSONValue {
  fileprivate var isStringOrNull: Bool {
    switch self {
    case .string, .null: true
    default: false
    }
  }
}
