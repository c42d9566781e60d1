/// What R′, G′ and B′ count in Y′: K_R, K_G and K_B, which add up to 1.
public struct LumaCoefficients: Hashable, Sendable {
  /// K_R, K_G and K_B, each 0 … 1.
  public let red, green, blue: Double

  /// - Parameters:
  ///   - red, blue: above 0, in all below 1.
  public init(red: Double, blue: Double) { self.init(red: red, green: 1 - red - blue, blue: blue) }

  private init(red: Double, green: Double, blue: Double) { (self.red, self.green, self.blue) = (red, green, blue) }

  /// Of standard definition: ITU-R BT.601.
  public static let bt601 = LumaCoefficients(red: 0.299, green: 0.587, blue: 0.114)
  /// Of high definition: ITU-R BT.709.
  public static let bt709 = LumaCoefficients(red: 0.2126, green: 0.7152, blue: 0.0722)

  /// Y′, in the unit of R′, G′ and B′.
  func callAsFunction(_ red: Double, _ green: Double, _ blue: Double) -> Double {
    self.red * red + self.green * green + self.blue * blue
  }
}

extension ColorMatrix {
  var coefficients: LumaCoefficients {
    switch self {
    case .bt601: .bt601
    case .bt709: .bt709
    }
  }
}
