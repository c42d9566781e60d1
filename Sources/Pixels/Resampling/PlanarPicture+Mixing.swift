extension PlanarPicture {
  /// The two pictures' samples mixed.
  ///
  /// - Parameter share: of `other`, 0 … 256.
  /// - Returns: nil for a picture of another size.
  public func mixed(with other: PlanarPicture, share: Int) -> PlanarPicture? {
    guard (other.width, other.height) == (width, height) else { return nil }
    return PlanarPicture(width: width, height: height) { output in
      func mix(_ plane: (PlanarPicture) -> PlaneView, to output: OutputPlanes.Plane, _ columns: Int, _ rows: Int) {
        for y in 0..<rows {
          func row(_ picture: PlanarPicture) -> UnsafePointer<UInt8> {
            UnsafePointer((plane(picture).base + y * plane(picture).stride).assumingMemoryBound(to: UInt8.self))
          }
          Pixels.mix(
            row(self), row(other), share: share, to: (output.base + y * output.stride).assumingMemoryBound(to: UInt8.self), count: columns)
        }
      }
      mix(\.planes.0, to: output.y, width, height)
      mix(\.planes.1, to: output.u, (width + 1) / 2, (height + 1) / 2)
      mix(\.planes.2, to: output.v, (width + 1) / 2, (height + 1) / 2)
    }
  }
}
