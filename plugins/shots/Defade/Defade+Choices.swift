import GStreamerKit
import Shots

extension RepairMode: PropertyEnumeration {
  public static let typeName = "GstDefadeMode"

  public var blurb: String {
    switch self {
    case .hold: "The first half shows the last clean frame before, the second half the first clean one after: every time stamp stays"
    case .cut: "They are taken out, with their sound, and what follows moves up"
    case .restore: "Fades to and from black and white are undone; the rest as with hold"
    }
  }
}

extension Defade {
  enum Kind: String, PropertyEnumeration {
    case fade, dissolve, wipe

    static let typeName = "GstDefadeKinds"

    var blurb: String {
      switch self {
      case .fade: "Fades, through black, white or another colour"
      case .dissolve: "Dissolves"
      case .wipe: "Wipes"
      }
    }

    var kind: BoundaryKind {
      switch self {
      case .fade: .fade
      case .dissolve: .dissolve
      case .wipe: .wipe
      }
    }
  }
}
