/// The page with the results of a benchmark.
package struct BenchmarkPage: Sendable {
    /// The times of the full builds, in seconds.
    package var unit: [Double]
    package var rows: [Benchmark.Row]
    /// The version of Xen.
    package var version: String
    /// How many compilers ran at a time.
    package var jobs: Int
    package var machine: String
    /// The date in the form `2026-11-23`.
    package var date: String

    package init(unit: [Double], rows: [Benchmark.Row], version: String, jobs: Int, machine: String, date: String) {
        self.unit = unit
        self.rows = rows
        self.version = version
        self.jobs = jobs
        self.machine = machine
        self.date = date
    }

    /// The rows as Markdown.
    package var table: String {
        let head = "| what | full builds | limit | seconds | in each run |\n|---|---|---|---|---|"
        let lines = rows.map { row in
            let memory = row.memory.map { ", \($0 >> 10) MiB (\((row.memoryLimit ?? 0) >> 10))" } ?? ""
            let limit = row.limit.map { "≤ \(XenRig.text($0))\(row.isReached ? "" : ", **missed**")" } ?? "–"
            return
                "| \(row.name) | \(XenRig.text(row.ratio50))\(memory) | \(limit) | \(XenRig.text(row.seconds50)) | \(row.ratios.map(XenRig.text).joined(separator: ", ")) |"
        }
        return ([head] + lines).joined(separator: "\n")
    }

    package var text: String {
        """
        # How long it takes

        Made by `make bench`, which measures the program beside full builds (`make -j\(jobs)`) of the same Xen on the same machine, in turns. The unit is
        one full build: here \(XenRig.text(median(unit))) s (\(unit.map(XenRig.text).joined(separator: ", "))). Each row is the
        median of \(unit.count) rounds; in the first two rows a round is itself the median of three runs. `make bench` fails above a limit. A limit in
        parentheses is for memory, in MiB.

        \(table)

        "Nothing cached" is an empty cache folder, and the source as Debian ships it. Most of a first run is then Xen's own preparation: its
        configuration, its host tools and the headers that it generates, once for a hypervisor. make does that, while a second make beside it says how
        it would compile the objects; no object but those that the patch concerns is compiled, and nothing is linked. A header that nearly every file includes
        means that all objects are compiled, as they were and as patched, and for the next fix as patched only.

        The rows without a limit compare the program's own store of objects with a compiler cache in its place (`--compiler-launcher ccache`), for a
        run that compiles nothing. `ccache` is a process of its own for each object, and looks at every file that the object includes before it answers. An
        object in the program's store is named after the content of the whole tree, which the run knows anyway, and its command: one look for each.

        Xen \(version) for x86_64, \(jobs) compilers at a time on \(machine), \(date).

        """
    }
}
