import ELFModel

/// The payload's entries of special sections: bugs, exceptions, alternatives.
extension PayloadCheck {
    /// Holds the entries that lead into a function against those that the compiler made for it: none missing, none too many.
    mutating func checkEntries(of function: String, _ work: Work) {
        let object = files[work.thing.file].diff.patched
        for special in OracleDiff.specialSections(object.file.header.machine) {
            let wanted = object.entries(of: function, in: special), found = entries(of: work, in: special)
            guard wanted.count == found.count else {
                faults.append("\(function): \(found.count) entries in \(special.name), the compiler made \(wanted.count)")
                continue
            }
            for (want, got) in zip(wanted, found) { check(want, got, special, work.thing.file, "\(special.name) of \(function)") }
        }
    }

    private func entries(of work: Work, in special: OracleDiff.SpecialSection) -> [OracleObject.Place] {
        let (end, isFar) = work.place.offset.addingReportingOverflow(max(work.size, 1))
        guard !isFar else { return [] }
        let range = work.place.offset..<end
        return payload.file.sections.indices.filter { payload.file.sections[$0].name == special.name }.flatMap { section in
            stride(from: 0, to: payload.file.sections[section].size, by: UInt64.Stride(special.entrySize)).map {
                OracleObject.Place(section: section, offset: $0)
            }
        }.filter { entry in
            guard let first = payload.references(at: entry, size: 4).first else { return false }
            guard case .own(let place) = special.hasLines && isX86 ? first.withoutLine.target : first.target else { return false }
            return place.section == work.place.section && range.contains(place.offset)
        }
    }

    private var isX86: Bool { payload.file.header.machine == ELF.Machine.x86_64 }

    private mutating func check(_ want: OracleObject.Item, _ got: OracleObject.Place, _ special: OracleDiff.SpecialSection, _ file: Int, _ name: String) {
        let object = files[file].diff.patched
        var wanted = object.references(in: want), found = payload.references(at: got, size: special.entrySize)
        var ours = object.bytes(of: want), theirs = payload.bytes(at: got, count: Int(special.entrySize))
        if special.hasLines {
            let line: Int, payloadLine: Int
            if isX86 {
                line = Self.line(wanted.map(\.addend))
                payloadLine = Self.line(found.map(\.addend))
                for index in wanted.indices { wanted[index].addend -= (wanted[index].addend >> 24) << 24 }
                found = found.map(\.withoutLine)
            } else {
                line = Self.line(ours)
                payloadLine = Self.line(theirs)
                // The program says that the hypervisor has no such name, and takes another.
                if hasOtherFileNames {
                    wanted.removeAll { $0.offset - want.place.offset == 4 }
                    found.removeAll { $0.offset - got.offset == 4 }
                }
                for index in 12..<14 where index < min(ours.count, theirs.count) { (ours[index], theirs[index]) = (0, 0) }
            }
            if payloadLine != line { faults.append("\(name): line \(payloadLine), the compiler's is \(line)") }
        }
        if ours != theirs { faults.append("\(name): other bytes") }
        check(wanted, from: want.place.offset, found, from: got.offset, in: file, name)
    }

    /// The line number of an entry of x86: seven bits each in the upper bits of its first two distances, the upper ones first.
    private static func line(_ addends: [Int64]) -> Int {
        guard addends.count > 1 else { return 0 }
        return Int((addends[0] >> 24) & 0x7f) << 7 | Int((addends[1] >> 24) & 0x7f)
    }

    /// The line number of an entry of ARM.
    private static func line(_ bytes: [UInt8]) -> Int { bytes.count > 13 ? Int(bytes[12]) | Int(bytes[13]) << 8 : 0 }
}

extension TorturePayload.Reference {
    /// The same without the line number in the upper bits of its distance.
    fileprivate var withoutLine: Self {
        let line = (addend >> 24) << 24
        var result = self
        result.addend -= line
        result.target = target.moved(by: -line)
        return result
    }
}
