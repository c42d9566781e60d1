import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

/// A folder of what diffusers and transformers computed, made by a script under training/fixtures.
struct Fixture {
  let folder: String

  init(_ name: String) { folder = root + "/Tests/DiffusionTests/Fixtures/" + name }

  /// A tensor of one of the folder's safetensors files, as float32.
  func floats(_ name: String, in file: String = "values.safetensors") throws -> (values: [Float], shape: [Int]) {
    let view = try #require(try SafetensorsFile(path: "\(folder)/\(file)")[name], "\(file) has no \(name)")
    return (try #require(try view.floats()), view.shape)
  }
}

/// The largest |a − b| relative to the largest |b|; infinite if they are not of one length or a number is not finite.
func difference(_ a: [Float], from b: [Float]) -> Float {
  guard a.count == b.count, a.allSatisfy(\.isFinite) else { return .infinity }
  let scale = b.reduce(0) { max($0, abs($1)) }
  let largest = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
  return scale > 0 ? largest / scale : largest
}

/// √Σ(a − b)² / √Σb²; infinite if they are not of one length or a number is not finite.
func relativeRMS(_ a: [Float], from b: [Float]) -> Float {
  guard a.count == b.count, a.allSatisfy(\.isFinite) else { return .infinity }
  let error = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
  let energy = b.reduce(0.0) { $0 + Double($1) * Double($1) }
  return Float((error / max(energy, .leastNormalMagnitude)).squareRoot())
}

/// A folder that is gone, with all that lies in it, when the test is over.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/shots-test-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    // What a link leads to is not ours.
    if unlink(path) == 0 { return }
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove(path + "/" + name) }
      }
      closedir(folder)
      rmdir(path)
    }
  }

  /// Writes a file, and the folders it lies in, and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], name: String) -> String {
    var folder = path
    for part in name.split(separator: "/").dropLast() {
      folder += "/" + part
      mkdir(folder, 0o755)
    }
    let path = "\(path)/\(name)"
    if let file = fopen(path, "wb") {
      fwrite(bytes, 1, bytes.count, file)
      fclose(file)
    }
    return path
  }
}
