import Testing

@testable import XenRig

@Suite struct BenchmarkPageTests {
    @Test(arguments: [([], 0), ([3], 3), ([3, 1], 1), ([5, 1, 3], 3)] as [([Double], Double)])
    func middle(values: [Double], middle: Double) { #expect(median(values) == middle) }

    @Test(arguments: [(0, "0.000"), (0.0314, "0.031"), (0.0999, "0.100"), (0.2, "0.20"), (1.006, "1.01"), (67.239, "67.24"), (120, "120.00")])
    func numbers(value: Double, shown: String) { #expect(XenRig.text(value) == shown) }

    @Test func aMarkThatIsMissedIsSaidToBe() {
        var good = Benchmark.Row(name: "good", limit: 0.2), bad = good, greedy = good
        good.ratios = [0.3, 0.1, 0.15]
        good.seconds = [30, 10, 15]
        (bad.name, bad.ratios, bad.seconds) = ("bad", [0.21], [21])
        var compared = Benchmark.Row(name: "compared", limit: nil)
        (compared.ratios, compared.seconds) = ([0.5], [50])
        (greedy.name, greedy.ratios, greedy.memory, greedy.memoryLimit) = ("greedy", [0.1], 2048, 1024)
        let page = BenchmarkPage(
            unit: [100, 101, 99], rows: [good, bad, greedy, compared], version: "4.17.5", jobs: 2, machine: "a processor", date: "2026-11-23")
        #expect(
            page.table.split(separator: "\n").dropFirst(2) == [
                "| good | 0.15 | ≤ 0.20 | 15.00 | 0.30, 0.10, 0.15 |", "| bad | 0.21 | ≤ 0.20, **missed** | 21.00 | 0.21 |",
                "| greedy | 0.10, 2 MiB (1) | ≤ 0.20, **missed** | 0.000 | 0.10 |", "| compared | 0.50 | – | 50.00 | 0.50 |",
            ])
        #expect(page.text.contains("one full build: here 100.00 s (100.00, 101.00, 99.00)"))
    }
}
