/// x264's QP file: `N I -1` makes frame N, counted from the first frame encoded, an I frame of the encoder's own
/// quantiser. Written as soon as a shot begins.
struct QPFormatter: CutListFormatter {
  func head(_ summary: CutListSummary?) -> String { "" }

  func opening(_ shot: ShotOpening) -> String { "\(shot.firstFrame) I -1\n" }
}
