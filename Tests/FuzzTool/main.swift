import Glibc

// Damaged files against every reader of the project: what launch/fuzz runs. See `usage`.

let usage = """
  fuzz files [--seed S] [--count N] [--seconds T] [--only NAME] [--jobs J]   damaged files against every reader
  fuzz files --case I [--seed S] [--keep 0,2] [--save FILE]                  one of them again, with all of its changes or some
  fuzz files --check                                                         finds a planted trap, hang and hoard, or fails
  fuzz files --list                                                          the readers

  Each case is made of its number and the seed alone. It fails when its process ends by a signal, is at it for more than 5 s, or
  takes more than 1 GiB of memory; it is then made smaller, and saved in the folder FUZZ_OUT, or ., with the command that repeats it.
  Ends with status 0 if nothing failed, 1 if something did, 2 for a wrong command.

  """

var arguments = CommandLine.arguments.dropFirst()
guard arguments.popFirst() == "files", let options = Options(Array(arguments)) else {
  complain(usage)
  exit(2)
}

if options.lists {
  for target in Target.all(root: options.root, plants: false) { tell(target.name) }
} else if options.checks {
  exit(Campaign.check(options) ? 0 : 1)
} else if let worker = options.worker {
  Worker(options).run(worker)
} else if let number = options.number {
  exit(Campaign(options).again(number) ? 0 : 1)
} else {
  exit(Campaign(options).run() ? 0 : 1)
}
