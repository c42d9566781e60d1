import Pixels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A picture whose planes each end at an unreadable page: reading past the last row's last sample is a crash.
final class GuardedPicture {
  let layout: PictureLayout
  private var regions: [(base: UnsafeMutableRawPointer, count: Int)] = []
  private(set) var planes: [(start: UnsafeMutableRawPointer, stride: Int)] = []

  /// - Parameter padding: bytes between a row's end and the next one's begin.
  init(_ layout: PictureLayout, padding: Int = 0, scene: Scene? = nil) {
    self.layout = layout
    for (rowBytes, rows) in Self.planeSizes(layout) {
      let stride = rowBytes + padding
      let count = stride * (rows - 1) + rowBytes
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let length = (count + page - 1) / page * page
      guard
        let base = mmap(nil, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), base != MAP_FAILED,
        mprotect(base + length, page, PROT_NONE) == 0
      else { fatalError("no memory for a guarded picture") }
      regions.append((base, length + page))
      planes.append((base + length - count, stride))
    }
    if let scene { draw(scene) }
  }

  deinit {
    for region in regions { munmap(region.base, region.count) }
  }

  func withPicture<Result>(_ body: (borrowing Picture) throws -> Result) rethrows -> Result {
    func view(_ index: Int) -> PlaneView {
      let plane = index < planes.count ? planes[index] : planes[0]
      return PlaneView(base: UnsafeRawPointer(plane.start), stride: plane.stride)
    }
    return try body(Picture(layout: layout, planes: (view(0), view(1), view(2))))
  }

  /// Bytes a row and rows of each plane, as GStreamer has them without padding.
  static func planeSizes(_ layout: PictureLayout) -> [(rowBytes: Int, rows: Int)] {
    let (w, h) = (layout.width, layout.height)
    let (halfW, halfH) = ((w + 1) / 2, (h + 1) / 2)
    switch layout.format {
    case .i420, .yv12: return [(w, h), (halfW, halfH), (halfW, halfH)]
    case .nv12, .nv21: return [(w, h), (halfW * 2, halfH)]
    case .y42b: return [(w, h), (halfW, h), (halfW, h)]
    case .y444: return [(w, h), (w, h), (w, h)]
    case .yuy2, .uyvy: return [(halfW * 4, h)]
    case .gray8: return [(w, h)]
    case .rgb, .bgr: return [(w * 3, h)]
    case .i42010le: return [(w * 2, h), (halfW * 2, halfH), (halfW * 2, halfH)]
    case .p01010le: return [(w * 2, h), (halfW * 4, halfH)]
    default: return [(w * 4, h)]
    }
  }

  private func put(_ plane: Int, _ y: Int, _ offset: Int, _ value: UInt8) {
    planes[plane].start.storeBytes(of: value, toByteOffset: y * planes[plane].stride + offset, as: UInt8.self)
  }

  private func put16(_ plane: Int, _ y: Int, _ index: Int, _ value: Int) {
    put(plane, y, index * 2, UInt8(value & 0xFF))
    put(plane, y, index * 2 + 1, UInt8(value >> 8))
  }

  private func draw(_ scene: Scene) {
    let (w, h) = (layout.width, layout.height)
    let (halfW, halfH) = ((w + 1) / 2, (h + 1) / 2)
    func each(_ width: Int, _ height: Int, _ body: (Int, Int) -> Void) {
      for y in 0..<height { for x in 0..<width { body(x, y) } }
    }
    let (luma, chroma) = (scene.luma, scene.chroma)
    switch layout.format {
    case .i420, .yv12, .nv12, .nv21, .y42b, .y444, .gray8: each(w, h) { put(0, $1, $0, luma($0, $1)) }
    default: break
    }
    switch layout.format {
    case .gray8: break
    case .i420, .yv12:
      let (u, v) = layout.format == .i420 ? (1, 2) : (2, 1)
      each(halfW, halfH) {
        put(u, $1, $0, chroma($0, $1, 1))
        put(v, $1, $0, chroma($0, $1, 2))
      }
    case .nv12, .nv21:
      let (u, v) = layout.format == .nv12 ? (0, 1) : (1, 0)
      each(halfW, halfH) {
        put(1, $1, 2 * $0 + u, chroma($0, $1, 1))
        put(1, $1, 2 * $0 + v, chroma($0, $1, 2))
      }
    case .y42b:
      for plane in 1...2 { each(halfW, h) { put(plane, $1, $0, chroma($0, $1 / 2, plane)) } }
    case .y444:
      for plane in 1...2 { each(w, h) { put(plane, $1, $0, chroma($0 / 2, $1 / 2, plane)) } }
    case .yuy2, .uyvy:
      let (y, c) = layout.format == .yuy2 ? (0, 1) : (1, 0)
      each(w, h) { put(0, $1, 2 * $0 + y, luma($0, $1)) }
      each(halfW, h) {
        put(0, $1, 4 * $0 + c, chroma($0, $1 / 2, 1))
        put(0, $1, 4 * $0 + c + 2, chroma($0, $1 / 2, 2))
      }
    case .i42010le:
      // The two lowest bits, which are dropped, are set; bits above the tenth are not looked at.
      each(w, h) { put16(0, $1, $0, Int(luma($0, $1)) << 2 | 3 | 0xA400) }
      for plane in 1...2 { each(halfW, halfH) { put16(plane, $1, $0, Int(chroma($0, $1, plane)) << 2 | 1) } }
    case .p01010le:
      each(w, h) { put16(0, $1, $0, Int(luma($0, $1)) << 8 | 0xC0) }
      each(halfW, halfH) {
        put16(1, $1, 2 * $0, Int(chroma($0, $1, 1)) << 8 | 0x40)
        put16(1, $1, 2 * $0 + 1, Int(chroma($0, $1, 2)) << 8)
      }
    case .rgb, .bgr, .rgbx, .rgba, .bgrx, .bgra, .xrgb, .argb, .xbgr, .abgr:
      let bytes = layout.format == .rgb || layout.format == .bgr ? 3 : 4
      let first = [.xrgb, .argb, .xbgr, .abgr].contains(layout.format) ? 1 : 0
      let isBlueFirst = [.bgr, .bgrx, .bgra, .xbgr, .abgr].contains(layout.format)
      each(w, h) { x, y in
        let color = scene.color(x, y)
        put(0, y, x * bytes + first, isBlueFirst ? color.blue : color.red)
        put(0, y, x * bytes + first + 1, color.green)
        put(0, y, x * bytes + first + 2, isBlueFirst ? color.red : color.blue)
        if bytes == 4 { put(0, y, x * 4 + (first == 1 ? 0 : 3), UInt8(truncatingIfNeeded: x * 11 + y)) }
      }
    }
  }
}

/// The small picture, row after row.
struct SmallPicture {
  let width: Int
  let height: Int
  /// B, G, R.
  private(set) var samples: [UInt8] = []

  init(_ picture: GuardedPicture) {
    let reducer = Reducer(layout: picture.layout)
    width = reducer.size.width
    height = reducer.size.height
    for y in 0..<reducer.size.height {
      picture.withPicture { reducer.reduceRow(y, of: $0) }
      for x in 0..<reducer.size.width {
        for channel in [reducer.blue, reducer.green, reducer.red] { samples.append(UInt8(channel[x])) }
      }
    }
  }

  func at(_ x: Int, _ y: Int) -> ArraySlice<UInt8> { samples[(y * width + x) * 3..<(y * width + x) * 3 + 3] }

  /// The largest and the mean difference to another picture's samples.
  static func difference(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> (largest: Int, mean: Double) {
    var (largest, sum) = (0, 0)
    for (a, b) in zip(a, b) {
      largest = max(largest, abs(Int(a) - Int(b)))
      sum += abs(Int(a) - Int(b))
    }
    return (largest, Double(sum) / Double(max(1, a.count)))
  }
}
