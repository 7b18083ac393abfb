import GateACME
import GateCore
import GateTesting
import Testing

@testable import GatehouseApp

@Suite("The folder of certificates that is not used any more")
struct RetiredFolderTests {
    @Test("it is kept under another name, whatever was kept before, and it is told where it cannot be")
    func renamed() throws {
        let folder = TemporaryFolder()
        let store = FileCertificateStore(folder: folder.file("acme"))
        func rename() throws -> String { try store.rename(suffix: ".replaced", at: Timestamp(seconds: 1_800_000_000), cure: "move it") }
        for name in ["acme.replaced", "acme.replaced-1800000000", "acme.replaced-1800000000-2"] {
            try store.open()
            try store.save(Secret("x"), as: .history)
            #expect(try rename() == folder.file(name))
            #expect(folder.names.contains(name) && !folder.names.contains("acme"))
        }
        #expect("there is none") { try rename() } throws: { ($0 as? StoreFailure)?.description.contains("cannot be renamed") == true }
    }
}
