/// One way through an element for video that takes its sound too, if asked.
public enum StreamLane: Int, CaseIterable, Hashable, Sendable {
  case video, sound
}
