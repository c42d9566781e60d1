/// How a shot follows the one before it.
public enum ShotBeginning: String, CaseIterable, Hashable, Sendable {
  /// By a cut to something new.
  case next
  /// It goes on with it.
  case same
  /// It goes back to the shot before that.
  case back

  /// How many shots before it the one lies that goes on; nil for a new scene.
  var distance: Int? {
    switch self {
    case .next: nil
    case .same: 1
    case .back: 2
    }
  }

  static let largestDistance = 2
}
