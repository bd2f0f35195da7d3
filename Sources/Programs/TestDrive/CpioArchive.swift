/// Writes an initramfs: a cpio archive in the "newc" format, uncompressed, as the kernel's
/// Documentation/driver-api/early-userspace/buffer-format.rst describes it.
///
/// The same entries give the same bytes: owner root, no times, inode numbers counted. Archives may be concatenated:
/// the kernel unpacks them all.
package struct CpioArchive: Sendable {
    private var bytes: [UInt8] = []
    private var folders: Set<String> = []
    private var nextInode: UInt32 = 1

    package init() {}

    /// Adds a file at `path` (without a leading `/`), and the folders above it.
    package mutating func addFile(_ path: String, _ content: [UInt8], executable: Bool = false) {
        addParents(of: path)
        add(path, mode: 0o100000 | (executable ? 0o755 : 0o644), content)
    }

    package mutating func addFolder(_ path: String) {
        guard folders.insert(path).inserted else { return }
        addParents(of: path)
        add(path, mode: 0o040755)
    }

    package mutating func addSymbolicLink(_ path: String, to target: String) {
        addParents(of: path)
        add(path, mode: 0o120777, Array(target.utf8))
    }

    /// Adds a character device, for the few that the kernel opens before anything is mounted.
    package mutating func addCharacterDevice(_ path: String, major: UInt32, minor: UInt32) {
        addParents(of: path)
        add(path, mode: 0o020600, device: (major, minor))
    }

    /// The whole archive. Its size is a multiple of 512 bytes, so that another archive may follow.
    package func finished() -> [UInt8] {
        var whole = self
        whole.nextInode = 0
        whole.add("TRAILER!!!", mode: 0)
        whole.pad(to: 512)
        return whole.bytes
    }

    private mutating func addParents(of path: String) {
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        if !parent.isEmpty { addFolder(parent) }
    }

    private mutating func add(
        _ path: String, mode: UInt32, _ content: [UInt8] = [], device: (major: UInt32, minor: UInt32) = (0, 0)
    ) {
        let name = Array(path.utf8) + [0]
        let fields: [UInt32] = [
            nextInode, mode, 0, 0, 1, 0, UInt32(truncatingIfNeeded: content.count), 0, 0, device.major, device.minor,
            UInt32(truncatingIfNeeded: name.count), 0,
        ]
        nextInode += 1
        bytes += Array("070701".utf8)
        for field in fields { bytes += Self.hexadecimal(field) }
        bytes += name
        pad(to: 4)
        bytes += content
        pad(to: 4)
    }

    private mutating func pad(to alignment: Int) {
        let excess = bytes.count % alignment
        if excess != 0 { bytes += [UInt8](repeating: 0, count: alignment - excess) }
    }

    /// The value as eight upper-case hexadecimal digits.
    private static func hexadecimal(_ value: UInt32) -> [UInt8] {
        stride(from: 28, through: 0, by: -4).map { shift in
            let digit = UInt8(truncatingIfNeeded: (value >> UInt32(shift)) & 15)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
        }
    }
}
