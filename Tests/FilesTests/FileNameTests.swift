import Files
import Testing

@Suite("Names of files") struct FileNameTests {
  private func name(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }

  @Test func `a name beside another has its ending`() {
    #expect(FileName.beside("/tmp/a b/clip.mp4", ending: ".7-0.part") == "/tmp/a b/clip.mp4.7-0.part")
    #expect(FileName.beside("clip", ending: ".part") == "clip.part")
    #expect(FileName.beside("/clip", ending: ".part") == "/clip.part")
  }

  @Test func `text goes before the extension, not into a folder's name`() {
    #expect(FileName.extended("a.b/clip.mp4", by: "-2") == "a.b/clip-2.mp4")
    #expect(FileName.extended("a.b/clip", by: "-3") == "a.b/clip-3")
    #expect(FileName.extended("a/.hidden", by: "-2") == "a/.hidden-2")
    #expect(FileName.extended("a/Ünï\u{301}.mp4", by: "-2") == "a/Ünï\u{301}-2.mp4")
  }

  @Test(arguments: 230...255) func `every legal name has one beside it`(_ length: Int) {
    for letter in ["x", "ü", "漢", "🎬"] {
      let name = String(repeating: letter, count: length / letter.utf8.count) + String(repeating: "x", count: length % letter.utf8.count)
      let path = "/tmp/\(name)"
      let beside = self.name(FileName.beside(path, ending: ".1234567-0.part"))
      #expect(beside.utf8.count <= 255 && beside.utf8.count > 255 - 4 - 1 || beside == name + ".1234567-0.part", "\(beside)")
      #expect(beside.hasSuffix(".1234567-0.part") && name.hasPrefix(beside.dropLast(".1234567-0.part".count)))
      let second = self.name(FileName.extended("/tmp/\(name.dropLast(4)).mp4", by: "-2"))
      #expect(second.utf8.count <= 255 && second.hasSuffix("-2.mp4"))
    }
  }

  @Test func `what is too long is known before anything is made`() {
    #expect(!FileName.isTooLong("/tmp/" + String(repeating: "x", count: 255)))
    #expect(FileName.isTooLong("/tmp/" + String(repeating: "x", count: 256)))
    #expect(FileName.isTooLong("/tmp/" + String(repeating: "ü", count: 128)))
    #expect(FileName.isTooLong(String(repeating: "x/", count: 2048)))
  }

  @Test func `a path that is as long as paths may be has a name beside it`() {
    let folder = String(repeating: "/tmp/..", count: 580)
    let path = folder + "/" + String(repeating: "x", count: 4095 - folder.utf8.count - 1 > 255 ? 200 : 4095 - folder.utf8.count - 1)
    #expect(FileName.beside(path, ending: ".part").utf8.count <= 4095)
  }
}
