import ArchARM32
import ArchARM64
import ArchX86_64
import TargetArchitecture
import TestDrive

extension TargetMachine {
    /// What the tests run on, and what most of them make payloads for.
    static let own = x86_64

    /// What the program knows about it.
    var architecture: (any TargetArchitecture)? {
        let all: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]
        return all.first { $0.name == name }
    }
}
