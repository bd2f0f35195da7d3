import ArgumentParser

/// The value of `-j`; nil is not given.
func checkJobs(_ jobs: Int?) throws(ValidationError) {
    if let jobs, !(1...4096).contains(jobs) { throw ValidationError("-j takes a number from 1 to 4096, not \(jobs)") }
}
