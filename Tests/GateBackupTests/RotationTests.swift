import GateBackup
import GateCore
import GateTesting
import Testing

@Suite struct RotationTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        var keep = 0
        var keepFor = Duration.zero
        let names: [String]
        let gone: [String]
    }

    static let days = (1...5).map { "gatehouse-2026110\($0)T020000Z.tar.gz" }

    static let cases = [
        Case(description: "nothing is said", names: days, gone: []),
        Case(description: "by number", keep: 2, names: days, gone: [days[2], days[1], days[0]]),
        Case(description: "by number, one is kept in any case", keep: 1, names: [days[0]], gone: []),
        Case(description: "by age, counted from the one before the newest", keepFor: .seconds(2 * 86_400), names: days, gone: [days[0]]),
        Case(
            description: "a clock that was ten years ahead costs nothing", keepFor: .seconds(30 * 86_400),
            names: days + ["gatehouse-20361105T020000Z.tar.gz"], gone: []),
        Case(
            description: "each series by itself, encrypted or not", keep: 1,
            names: [days[0], days[1] + ".age", "before-migration-20260101T000000Z.tar.gz"], gone: [days[0]]),
        Case(
            description: "files that are not ours", keep: 1,
            names: [
                days[4], "gatehouse.db", "gatehouse-20261101T020000Z.tar.gz.old", "gatehouse-20261301T020000Z.tar.gz",
                "gatehouse-20261101T020000Z.zip", "my-gatehouse-20261101T020000Z.tar.gz", "gatehouse-2026110AT020000Z.tar.gz",
            ], gone: []),
    ]

    @Test("Old backups go by number and by age, the newest never, other files never", arguments: cases)
    func rotation(_ each: Case) {
        let rule = BackupRotation(keep: each.keep, keepFor: each.keepFor)
        #expect(rule.expired(each.names).map(\.description) == each.gone, "\(each)")
    }

    @Test("A folder is rotated on the disk, and a name that is taken is not given twice")
    func folder() {
        let folder = TemporaryFolder()
        for name in Self.days + ["notes.txt"] { folder.write(name, "x") }
        let backups = BackupFolder(folder.path)
        #expect(backups.rotate(BackupRotation(keep: 3, keepFor: .zero)).count == 2)
        #expect(folder.names == Self.days.suffix(3) + ["notes.txt"])
        #expect(backups.entries.map(\.name.description) == Self.days.suffix(3).reversed())
        let taken = backups.entries[0].name.time
        #expect(backups.freeName(.regular, at: taken, isEncrypted: false).description == "gatehouse-20261105T020001Z.tar.gz")
    }
}
