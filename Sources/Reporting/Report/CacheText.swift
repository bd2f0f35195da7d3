import XenBuild

/// The contents of the cache as text for a terminal.
package enum CacheText {
    /// - Parameter folder: the cache's path as it is shown.
    package static func render(_ usage: CacheUsage, folder: String, style: TextStyle) -> String {
        let rows = [("prepared trees", usage.trees), ("objects", usage.objects), ("runs under way, or killed", usage.work)]
        func line(_ name: String, _ count: String, _ bytes: Int64) -> String {
            "  " + name.padded(to: 26) + count.alignedRight(to: 7) + "  " + size(bytes).alignedRight(to: 11)
        }
        let lines = rows.map { line($0, grouped($1.count), $1.size) } + [line("in all", "", usage.size)]
        return ([style.shown(folder)] + lines).joined(separator: "\n")
    }

    /// `1.4 GiB`, `12 bytes`.
    package static func size(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) bytes" }
        var tenths = bytes * 10 / 1024, units = ["KiB", "MiB", "GiB", "TiB"][...]
        while tenths >= 10_240, units.count > 1 {
            tenths /= 1024
            units.removeFirst()
        }
        return "\(grouped(Int(tenths / 10))).\(tenths % 10) \(units.first ?? "")"
    }
}
