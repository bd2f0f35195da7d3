/// Maps line numbers as the compiler reports them to lines of the patched file.
///
/// Line directives make the compiler number unchanged code as before the patch. So a number can mean an added line as well as the
/// unchanged line that had the number before. Where a directive stands in a conditional group, the number also depends on the
/// configuration. The map returns all candidates and leaves the choice to a human.
package struct LineMap: Sendable, Equatable {
    /// `count` lines from `real` on, which the compiler reports as `reported` and following. All numbers count from 1.
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

    /// In the order of `real`. Empty when the compiler reports every line under its own number.
    package var runs: [Run]

    package init(runs: [Run] = []) {
        self.runs = runs
    }

    /// Whether the compiler reports every line under its own number.
    package var isIdentity: Bool { runs.isEmpty }

    /// The lines of the patched file that the compiler may mean by line `reported`, ascending.
    ///
    /// Both count from 1. Empty when the compiler reports no line of the patched file under that number.
    package func realLines(forReported reported: Int) -> [Int] {
        if runs.isEmpty { return [reported] }
        var lines: Set<Int> = []
        for run in runs where reported >= run.reported && reported - run.reported < run.count {
            lines.insert(run.real + (reported - run.reported))
        }
        return lines.sorted()
    }

    /// Adds one line. A line that continues a run makes that run longer.
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
