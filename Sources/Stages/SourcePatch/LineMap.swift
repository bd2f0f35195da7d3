/// From line numbers as the compiler reports them to lines of the patched file.
///
/// Line directives make the compiler number unchanged code as before the patch, so a number can mean an added line as
/// well as the unchanged line that had it before; and where a directive stands in a conditional group, the number
/// depends on the configuration. The map answers all candidates and leaves the choice to a human.
package struct LineMap: Sendable, Equatable {
    /// `count` lines from `real` on, reported as `reported` and following. All numbers count from 1.
    package struct Run: Sendable, Equatable {
        package var reported: Int
        package var real: Int
        package var count: Int

        package init(reported: Int, real: Int, count: Int) {
            self.reported = reported
            self.real = real
            self.count = count
        }
    }

    /// In the order of `real`. Empty: every line is reported as what it is.
    package var runs: [Run]

    package init(runs: [Run] = []) {
        self.runs = runs
    }

    /// True when the compiler reports every line as what it is.
    package var isIdentity: Bool { runs.isEmpty }

    /// The lines of the patched file that the compiler may mean by line `reported`, ascending.
    ///
    /// Both count from 1. Empty when the patched file has no line that is reported so.
    package func realLines(forReported reported: Int) -> [Int] {
        if runs.isEmpty { return [reported] }
        var lines: Set<Int> = []
        for run in runs where reported >= run.reported && reported - run.reported < run.count {
            lines.insert(run.real + (reported - run.reported))
        }
        return lines.sorted()
    }

    /// Adds one line; lines that continue a run make it longer.
    mutating func append(reported: Int, real: Int) {
        for index in runs.indices.suffix(8) {
            let run = runs[index]
            if run.real + run.count == real, run.reported + run.count == reported {
                runs[index].count += 1
                return
            }
        }
        runs.append(Run(reported: reported, real: real, count: 1))
    }
}
