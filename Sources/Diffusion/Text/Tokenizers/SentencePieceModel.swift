import Tensors

/// What a `spiece.model` says: a `ModelProto` of sentencepiece's `sentencepiece_model.proto`.
struct SentencePieceModel: Sendable {
  enum Kind: UInt64 { case normal = 1, unknown, control, userDefined, unused, byte }

  struct Piece: Sendable {
    var text: [UInt8] = []
    var score: Float = 0
    var kind = Kind.normal
  }

  /// umT5's has 256,384.
  static let pieceLimit = 1_000_000

  private(set) var pieces: [Piece] = []
  private(set) var kindOfModel: UInt64 = 1
  private(set) var writesBytes = false
  private(set) var putsSpaceBehind = false
  private(set) var characterMap: [UInt8] = []
  private(set) var addsSpace = true
  private(set) var joinsSpaces = true
  private(set) var escapesSpaces = true

  init(path: String) throws(WeightsError) {
    try self.init(FileBytes.read(path), path: path)
  }

  init(_ bytes: [UInt8], path: String) throws(WeightsError) {
    do throws(ProtobufReader.Flaw) {
      var reader = ProtobufReader(bytes, in: 0..<bytes.count)
      while let (number, value) = try reader.next() {
        guard case .bytes(let range) = value else { continue }
        switch number {
        case 1:
          guard pieces.count < Self.pieceLimit else {
            throw ProtobufReader.Flaw(offset: range.lowerBound, reason: "more than \(Self.pieceLimit) pieces")
          }
          pieces.append(try Self.piece(bytes, range))
        case 2: try readTrainer(bytes, range)
        case 3: try readNormalizer(bytes, range)
        default: break
        }
      }
    } catch {
      throw WeightsError(.malformed, path: path, "is no sentencepiece model: it has \(error.reason) at byte \(error.offset)")
    }
    guard kindOfModel == 1 else {
      let name = [2: "BPE", 3: "word", 4: "character"][kindOfModel] ?? "number \(kindOfModel)"
      throw WeightsError(.malformed, path: path, "is a sentencepiece model of type \(name), where a unigram model is needed")
    }
    guard !pieces.isEmpty else { throw WeightsError(.malformed, path: path, "is no sentencepiece model: it has no pieces") }
  }

  private static func piece(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufReader.Flaw) -> Piece {
    var piece = Piece()
    var reader = ProtobufReader(bytes, in: range)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, .bytes(let text)): piece.text = Array(bytes[text])
      case (2, .fixed32(let score)): piece.score = Float(bitPattern: score)
      case (3, .integer(let kind)):
        guard let kind = Kind(rawValue: kind) else {
          throw ProtobufReader.Flaw(offset: range.lowerBound, reason: "a piece of type \(kind)")
        }
        piece.kind = kind
      default: break
      }
    }
    guard piece.score.isFinite else {
      throw ProtobufReader.Flaw(offset: range.lowerBound, reason: "a piece whose score is no finite number")
    }
    return piece
  }

  private mutating func readTrainer(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufReader.Flaw) {
    var reader = ProtobufReader(bytes, in: range)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (3, .integer(let kind)): kindOfModel = kind
      case (24, .integer(let flag)): putsSpaceBehind = flag != 0
      case (35, .integer(let flag)): writesBytes = flag != 0
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufReader.Flaw) {
    var reader = ProtobufReader(bytes, in: range)
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (2, .bytes(let map)): characterMap = Array(bytes[map])
      case (3, .integer(let flag)): addsSpace = flag != 0
      case (4, .integer(let flag)): joinsSpaces = flag != 0
      case (5, .integer(let flag)): escapesSpaces = flag != 0
      default: break
      }
    }
  }
}

extension Unigram {
  /// A model's vocabulary, as sentencepiece searches it.
  init(_ model: SentencePieceModel, path: String) throws(WeightsError) {
    func flaw(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, reason) }

    let unknowns = model.pieces.indices.filter { model.pieces[$0].kind == .unknown }
    guard let unknown = unknowns.first, unknowns.count == 1 else {
      throw flaw("has \(unknowns.count) pieces for what is unknown, where it needs one")
    }
    // Control pieces, the unknown one and bytes are never found in a text, but their names are taken.
    _ = try ByteTrie.of(model.pieces.enumerated().map { ($1.text, $0) }, path: path)
    let found = model.pieces.enumerated().filter { [.normal, .userDefined].contains($1.kind) }
    trie = try ByteTrie.of(found.map { ($1.text, $0) }, path: path)
    scores = model.pieces.map { Double($0.score) }
    userDefined = Set(model.pieces.indices.filter { model.pieces[$0].kind == .userDefined })

    let normal = model.pieces.lazy.filter { $0.kind == .normal }.map(\.score)
    largestScore = normal.reduce(.leastNormalMagnitude) { max($0, $1) }
    let least = normal.min() ?? .greatestFiniteMagnitude
    unknownScore = Double(least) - Self.unknownPenalty
    self.unknown = unknown

    if model.writesBytes {
      let named = model.pieces.enumerated().filter { $1.kind == .byte }.map { ($1.text, $0) }
      let bytes = Dictionary(named, uniquingKeysWith: { first, _ in first })
      bytePieces = try (0...255).map { byte throws(WeightsError) in
        guard let token = bytes[Self.name(ofByte: byte)] else {
          throw flaw("writes unknown characters as bytes, but has no piece \"\(String(decoding: Self.name(ofByte: byte), as: UTF8.self))\"")
        }
        return token
      }
    }
  }

  /// `<0x0A>` for 10.
  static func name(ofByte byte: Int) -> [UInt8] {
    let digits = String(byte, radix: 16, uppercase: true)
    return Array("<0x\(digits.count < 2 ? "0" : "")\(digits)>".utf8)
  }
}

extension ByteTrie {
  /// A trie of a vocabulary's pieces, or an error that names the one it cannot have.
  static func of(_ pieces: [(bytes: [UInt8], value: Int)], path: String) throws(WeightsError) -> ByteTrie {
    do {
      return try ByteTrie(pieces)
    } catch {
      let reason =
        switch error {
        case .empty(let value): "has an empty piece, number \(value)"
        case .tooLong(let value): "has a piece of more than \(longestKey) bytes, number \(value)"
        case .duplicate(let value, let other): "has the same piece twice, as numbers \(other) and \(value)"
        case .tooMany: "has pieces of more than \(totalBytes) bytes in all"
        }
      throw WeightsError(.malformed, path: path, reason)
    }
  }
}
