import Glibc

/// The procedural film of make_transition_fixtures.py: a cut at 60, a dissolve 110…130, a flash at 160, a wipe 200…220, a
/// fade 260…290, shake at 320, a cut at 380. Thumbnails, RGB [27, 48, 3].
enum TransitionFilm {
  static func frame(_ t: Int) -> [UInt8] {
    switch t {
    case ..<60: return picture { shot(1, t, $0, $1, $2) }
    case ...110: return picture { shot(2, t, $0, $1, $2) }
    case ..<130: return picture { mix(shot(2, t, $0, $1, $2), shot(3, t, $0, $1, $2), t - 110, 20) }
    case 160..<162: return picture { min(shot(3, t, $0, $1, $2) + 140, 255) }
    case ...200: return picture { shot(3, t, $0, $1, $2) }
    case ..<220: return picture { shot($0 < 48 * (t - 200) / 20 ? 4 : 3, t, $0, $1, $2) }
    case ...260: return picture { shot(4, t, $0, $1, $2) }
    case ..<275: return picture { mix(shot(4, t, $0, $1, $2), 0, t - 260, 15) }
    case ..<290: return picture { mix(0, shot(5, t, $0, $1, $2), t - 275, 15) }
    case 320..<330:
      let right = (t * 5) % 5 - 2, down = (t * 7) % 3 - 1
      return picture { shot(5, t, ($0 - right + 48) % 48, ($1 - down + 27) % 27, $2) }
    case ..<380: return picture { shot(5, t, $0, $1, $2) }
    default: return picture { shot(6, t, $0, $1, $2) }
    }
  }

  private static func mix(_ a: Int, _ b: Int, _ i: Int, _ n: Int) -> Int { (a * (n - i) + b * i) / n }

  private static func picture(_ value: (_ x: Int, _ y: Int, _ channel: Int) -> Int) -> [UInt8] {
    (0..<27).flatMap { y in (0..<48).flatMap { x in (0..<3).map { UInt8(truncatingIfNeeded: value(x, y, $0)) } } }
  }

  /// Frame t of shot k: drifting stripes and blocks.
  private static func shot(_ k: Int, _ t: Int, _ x: Int, _ y: Int, _ c: Int) -> Int {
    let u = x + (t * (k % 3)) / 8
    let block = ((u / 7) * 31 + (y / 5) * 17 + k * 73) % 97
    let stripe = abs((u * (1 + k % 4) + y * (2 + k % 3)) % 32 - 16)
    return 30 + 40 * ((k + c) % 4) + block * (1 + (k + c) % 2) / 4 + stripe * (1 + c)
  }
}
