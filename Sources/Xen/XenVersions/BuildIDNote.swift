import ELFModel

/// The note that names a build: ELF type NT_GNU_BUILD_ID, owner `GNU`.
package enum BuildIDNote {
    /// The build-id in the allocated note sections of a file, or nil.
    package static func find(in file: ELFFile) -> [UInt8]? {
        for section in file.sections where section.isAllocated {
            guard section.type == ELF.SectionType.note || SectionName.isNote(section.name) else { continue }
            if let id = parse(section.data, byteOrder: file.header.byteOrder) { return id }
        }
        return nil
    }

    /// The first build-id among the notes in a section's bytes; nil if there is none or the notes are damaged.
    package static func parse(_ data: [UInt8], byteOrder: ByteOrder = .little) -> [UInt8]? {
        func word(_ offset: Int) -> Int? {
            offset + 4 <= data.count ? Int(byteOrder.number(data[offset..<offset + 4])) : nil
        }
        var offset = 0
        while let nameSize = word(offset), let descriptorSize = word(offset + 4), let type = word(offset + 8) {
            let name = offset + 12
            let descriptor = name + (nameSize + 3) & ~3
            let end = descriptor + descriptorSize
            guard end <= data.count, nameSize >= 0, descriptorSize >= 0 else { return nil }
            if type == Int(ELF.NoteType.gnuBuildID), Array(data[name..<name + nameSize]) == Array("GNU\0".utf8),
                descriptorSize > 0
            {
                return Array(data[descriptor..<end])
            }
            offset = (end + 3) & ~3
        }
        return nil
    }

    /// The bytes of a note section that holds a build-id, little-endian.
    package static func serialise(_ id: [UInt8]) -> [UInt8] {
        func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let padding = [UInt8](repeating: 0, count: (4 - id.count % 4) % 4)
        return word(4) + word(id.count) + word(Int(ELF.NoteType.gnuBuildID)) + Array("GNU\0".utf8) + id + padding
    }

    /// The build-id as Xen and its tools print it: lower-case hexadecimal digits.
    package static func text(_ id: [UInt8]) -> String {
        id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Reads a build-id from hexadecimal digits. Returns nil unless the text is an even, non-zero number of such digits.
    package static func parse(text: String) -> [UInt8]? {
        let digits = text.lowercased().compactMap(\.hexDigitValue)
        guard digits.count == text.count, !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
