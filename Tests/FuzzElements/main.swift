import Glibc

/// Sends random sequences of everything that can be done to elements through the built plugin: see launch/fuzz.
guard let options = Options(CommandLine.arguments) else {
  say(
    "usage: fuzz-elements [--seed N] [--count N] [--seconds T] [--element NAME] [--jobs N] [--hang MS] [--replay SEED [--keep I,J,…]]")
  exit(2)
}
signal(SIGPIPE, SIG_IGN)
if options.isWorker {
  Worker(options).run()
} else if let seed = options.replay {
  let campaign = Campaign(options)
  let (fault, plan) = campaign.trial(seed, kept: options.kept, rounds: 4, describe: true)
  for line in plan { say(line) }
  guard let fault else {
    say("nothing fails")
    exit(0)
  }
  say("\(fault.kind): \(fault.key)")
  for line in fault.details { say("  \(line)") }
  if options.kept == nil, options.isReducing { for line in campaign.reduced(fault, seed) { say(line) } }
  exit(1)
} else {
  exit(Campaign(options).run() ? 0 : 1)
}
