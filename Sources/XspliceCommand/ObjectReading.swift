import DebugInfo
import ELFModel
import ObjectDiff
import SystemPackage
import TargetArchitecture

extension ObjectToCompare {
    /// Reads an object with its debug info; nil stands for an object that does not exist on this side, and is empty.
    init(at path: FilePath?, architecture: any TargetArchitecture) throws {
        guard let path else {
            let header = ELFHeader(
                elfClass: architecture.elfClass, byteOrder: architecture.byteOrder, type: ELF.FileType.relocatable,
                machine: architecture.machine)
            let null = ELFSection(name: "", type: ELF.SectionType.null, alignment: 0)
            self.init(
                file: ELFFile(header: header, sections: [null], symbols: [ELFSymbol(name: "")]), debug: DebugInfo())
            return
        }
        // The bytes of debug sections are large, and DebugInfo has read them.
        self.init(file: try ELFFile.read(path, debugSections: false), debug: try DebugInfo.read(path))
    }
}
