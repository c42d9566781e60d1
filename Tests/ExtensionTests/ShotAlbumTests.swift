import Extension
import Pixels
import Testing

/// What is kept of a stream.
@Suite("Shot album") struct ShotAlbumTests {
  private func frame(_ level: UInt8, _ width: Int = 16, _ height: Int = 16) throws -> PlanarPicture {
    try #require(picture(width, height) { _, _ in level })
  }

  private func levels(_ shot: ShotAlbum.Shot) -> [UInt8] {
    shot.frames.map { $0.planes.0.base.load(as: UInt8.self) }
  }

  @Test func `the last shots are kept, and of each the last frames`() throws {
    var album = ShotAlbum(shots: 2, framesPerShot: 3)
    for shot in 0..<4 as Range<UInt8> {
      album.beginShot()
      for index in 0..<5 as Range<UInt8> { album.add(try frame(shot * 10 + index + 20)) }
    }
    #expect(album.shots.map(\.number) == [3, 4])
    #expect(album.shots.map(levels) == [[42, 43, 44], [52, 53, 54]])
    #expect(album.shots.map(\.dropped) == [2, 2])
  }

  @Test func `frames without a boundary are one shot`() throws {
    var album = ShotAlbum()
    album.add(try frame(1))
    album.add(try frame(2))
    #expect(album.shots.map(\.number) == [1])
    #expect(album.shots.map(levels) == [[1, 2]])
  }

  @Test func `a shot in which nothing came is none`() throws {
    var album = ShotAlbum(shots: 2)
    album.add(try frame(1))
    album.beginShot()
    album.beginShot()
    #expect(album.shots.map(\.number) == [1])
    album.add(try frame(2))
    #expect(album.shots.map(\.number) == [1, 3])
  }

  @Test func `beyond the bytes the fullest shot loses its first frame`() throws {
    let size = PlanarPicture.byteCount(width: 16, height: 16)
    var album = ShotAlbum(shots: 2, byteLimit: 6 * size + size / 2)
    for _ in 0..<9 { album.add(try frame(30)) }
    #expect(album.shots.map(\.frames.count) == [6])
    album.beginShot()
    album.add(try frame(40))
    #expect(album.shots.map(\.frames.count) == [5, 1])
    for level in 41...49 as ClosedRange<UInt8> { album.add(try frame(level)) }
    #expect(album.shots.map(\.frames.count) == [3, 3])
    #expect(album.shots.last.map(levels) == [47, 48, 49])
    #expect(album.byteCount == 6 * size)
  }

  @Test func `thousands of shots of all sizes stay below the limit, and pictures that are dropped are freed`() throws {
    final class Weak { weak var picture: PlanarPicture? }
    var album = ShotAlbum(shots: 3, framesPerShot: 20, byteLimit: 60_000)
    var all: [Weak] = []
    for shot in 0..<3000 {
      if shot % 7 != 0 { album.beginShot() }
      let side = 16 + shot * 37 % 150
      for _ in 0..<shot % 13 {
        let one = try frame(UInt8(shot % 256), side, 16 + side / 3)
        album.add(one)
        let weak = Weak()
        weak.picture = one
        all.append(weak)
        #expect(album.byteCount <= 60_000)
        #expect(album.shots.count <= 3)
      }
      if shot % 100 == 99 { all.removeAll { $0.picture == nil } }
    }
    let alive = all.filter { $0.picture != nil }.count
    #expect(alive == album.shots.reduce(0) { $0 + $1.frames.count })
    #expect(album.byteCount == album.shots.reduce(0) { $0 + $1.frames.reduce(0) { $0 + $1.byteCount } })
  }

  @Test func `a picture beyond the limit is not kept, nor what came before it`() throws {
    var album = ShotAlbum(shots: 2, byteLimit: 1000)
    album.add(try frame(1))
    album.add(try frame(2, 64, 64))
    #expect(album.shots.isEmpty)
    album.add(try frame(3))
    #expect(album.shots.map(levels) == [[3]])
  }

  @Test func `a new size in a shot begins it anew`() throws {
    var album = ShotAlbum()
    album.add(try frame(1))
    album.add(try frame(2, 20, 16))
    #expect(album.shots.map(levels) == [[2]])
    #expect(album.shots.map(\.number) == [1])
    #expect(album.byteCount == PlanarPicture.byteCount(width: 20, height: 16))
  }

  @Test func `a copy keeps what it has`() throws {
    var album = ShotAlbum()
    album.add(try frame(1))
    let copy = album
    album.removeAll()
    #expect(album.shots.isEmpty)
    #expect(copy.shots.map(levels) == [[1]])
  }

  @Test func `pictures have sizes from 1 to 32,768, black where nothing was written`() throws {
    for (width, height) in [(0, 4), (4, 0), (-1, 4), (32769, 1), (.max, .max)] {
      #expect(PlanarPicture(width: width, height: height) { _ in } == nil)
      #expect(PlanarPicture.byteCount(width: width, height: height) == 0)
    }
    let odd = try #require(PlanarPicture(width: 5, height: 3) { _ in })
    #expect(odd.planes.0.base.load(fromByteOffset: 2 * odd.planes.0.stride + 4, as: UInt8.self) == 16)
    #expect(odd.planes.2.base.load(fromByteOffset: odd.planes.2.stride + 2, as: UInt8.self) == 128)
  }

  @Test func `an album's size is the source's unless its limit asks for less`() {
    #expect(ShotAlbum.size(for: 1920, height: 1080, shots: 2, frames: 12) == (1920, 1080))
    let large = ShotAlbum.size(for: 3840, height: 2160, shots: 2, frames: 24)
    #expect(large.width < 3840 && large.width >= 1920)
    #expect(PlanarPicture.byteCount(width: large.width, height: large.height) * 48 <= ShotAlbum.defaultByteLimit)
    #expect(ShotAlbum.size(for: 15, height: 15, shots: 1, frames: 1) == (15, 15))
    #expect(ShotAlbum.size(for: .max, height: .min, shots: .max, frames: .max).height == 2)
  }
}
