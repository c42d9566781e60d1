import Tensors
import Testing

@Suite("Text encoders' arithmetic")
struct EncoderArithmeticTests {
  static let types: [DataType] = [.float32] + (ComputeLibrary.hasOnlyFloat32 ? [] : [.bfloat16])

  /// Numbers of both signs, of which no two rows are alike.
  private func numbers(_ count: Int, _ step: Float) -> [Float] { (0..<count).map { Float(($0 * 37) % 19 - 9) * step + Float($0) / 64 } }

  private func close(_ a: [Float], _ b: [Float], _ type: DataType) -> Bool {
    let tolerance: Float = type == .float32 ? 1e-6 : 1.0 / 128
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }

  @Test("Rows are divided by their root mean square, and not shifted", arguments: types, [8, 13, 1])
  func rootMeanSquare(type: DataType, columns: Int) throws {
    let compute = try Compute(type, threads: 2)
    let (rows, epsilon) = (5, Float(0.25))
    let (x, scale) = (numbers(rows * columns, 0.5), numbers(columns, 0.1))
    let y = try compute.normalizeByRootMeanSquare(Matrix(x, rows: rows, columns: columns), scale: scale, epsilon: epsilon)
    let expected = (0..<rows).flatMap { row in
      let values = x[row * columns..<(row + 1) * columns]
      let mean = values.reduce(0) { $0 + $1 * $1 } / Float(columns)
      return zip(values, scale).map { $0 / (mean + epsilon).squareRoot() * $1 }
    }
    #expect(y.type == type)
    #expect(close(y.floats(), expected, type))
  }

  @Test("A gate multiplies element by element", arguments: types, [8, 13, 1])
  func gate(type: DataType, columns: Int) throws {
    let compute = try Compute(type, threads: 2)
    let x = Matrix(numbers(3 * columns, 0.5), rows: 3, columns: columns, type: type)
    let gate = Matrix(numbers(3 * columns, 0.25).reversed(), rows: 3, columns: columns, type: type)
    let expected = zip(x.floats(), gate.floats()).map { $0 * $1 }
    try compute.multiply(x, by: gate)
    #expect(close(x.floats(), expected, type))
  }

  @Test("A row of a tensor is found by its number, and one that is not there is none")
  func row() throws {
    let folder = TemporaryFolder()
    let bytes = (0..<6).flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: Float(value).bitPattern >> (8 * $0)) } }
    let path = folder.write(safetensors("{\(entry("a", "F32", "[3, 2]", 0, 24))}", data: bytes))
    let table = try #require(try SafetensorsFile(path: path)["a"])
    #expect(try table.row(0)?.floats() == [0, 1])
    #expect(try table.row(2)?.floats() == [4, 5])
    #expect(table.row(2)?.shape == [2])
    #expect(table.row(3) == nil)
    #expect(table.row(-1) == nil)
    #expect(try table.row(1)?.row(1)?.floats() == [3])
    #expect(table.row(1)?.row(1)?.row(0) == nil)
  }
}
