/// A number for people with two digits behind the point: "1.25".
public func decimal(_ number: Double) -> String {
  let hundredths = Int((min(max(number, 0), 1e6) * 100).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}
