import Diffusion
import Tensors
import Testing

@Suite("Attention inside and across shots")
struct AttentionProbeTests {
  /// CineTrans's fixture: shots of 2, 4 and 3 frames, the second of two layers masked.
  func probe(isVisible: Bool) throws -> AttentionProbe {
    let model = try loadTransformer("5b")
    let input = try latents("scenes.latents")
    let tokens = [5, 3, 4, 2]
    let layout = try model.layout(texts: tokens, shots: [2, 4, 3], height: input.height, width: input.width)
    let mask = CineTrans(layers: 1...1, isFirstFrameVisible: isVisible).mask(layout)
    let pass = TransformerPass(layout: layout, latents: input, projected: try texts(tokens).map(model.project), time: 700) {
      $0 == 1 ? mask : .full(layout)
    }
    let probe = AttentionProbe(queriesPerFrame: 6)
    _ = try model(pass, probe: probe)
    return probe
  }

  @Test("Each layer's mean attention between frames is that of the dense softmax", arguments: [("visible", true), ("hidden", false)])
  func frames(name: String, isVisible: Bool) throws {
    let probe = try probe(isVisible: isVisible)
    let expected = try transformerFixture.floats("5b.attention.\(name)").values
    let found = (0..<2).flatMap { probe.attention(layer: $0).flatMap { $0.map { Float($0) } } }
    #expect(difference(found, from: expected) < 1e-5)
  }

  @Test("A mask keeps all attention inside shots, but for the visible first frame")
  func masked() throws {
    let hidden = try probe(isVisible: false).layers
    #expect(hidden[1].across == 0 && hidden[1].inside > 0 && hidden[1].ratio == .infinity)
    #expect(try #require(hidden[1].correlation) > 0.9)
    #expect(hidden[0].across > 0)
    let visible = try probe(isVisible: true).layers
    #expect(visible[1].across > 0 && visible[1].ratio > 2)
    #expect(try #require(visible[1].correlation) < #require(hidden[1].correlation))
  }

  @Test("The ratio and the correlation are those of the definition")
  func definition() throws {
    // Of the stored means themselves, computed anew the plain way.
    let layer = try probe(isVisible: true).layers[0]
    let a = try transformerFixture.floats("5b.attention.visible").values[..<81].map { Double($0) }
    let shot = [0, 0, 1, 1, 1, 1, 2, 2, 2]
    struct Pair {
      var attention: Double
      var isOne: Bool
      var isSelf: Bool
    }
    let pairs: [Pair] = (0..<81).map { (place: Int) -> Pair in
      let (f, g) = (place / 9, place % 9)
      return Pair(attention: a[place], isOne: shot[f] == shot[g], isSelf: f == g)
    }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let inside = mean(pairs.filter { $0.isOne }.map { $0.attention })
    let across = mean(pairs.filter { !$0.isOne }.map { $0.attention })
    #expect(abs(layer.ratio - inside / across) < 1e-4)
    let others = pairs.filter { !$0.isSelf }
    let x: [Double] = others.map { $0.attention }
    let y: [Double] = others.map { $0.isOne ? 1 : 0 }
    let (meanX, meanY) = (mean(x), mean(y))
    let covariance = mean(zip(x, y).map { ($0 - meanX) * ($1 - meanY) })
    let (varianceX, varianceY) = (mean(x.map { ($0 - meanX) * ($0 - meanX) }), mean(y.map { ($0 - meanY) * ($0 - meanY) }))
    let expected: Double = covariance / (varianceX * varianceY).squareRoot()
    #expect(abs(try #require(layer.correlation) - expected) < 1e-3)
  }
}
