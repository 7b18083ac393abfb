import GateCore
import GateTesting
import Glibc
import Testing

@testable import GateBackup

@Suite struct RestoreJournalTests {
    let folder = TemporaryFolder()

    private var journal: RestoreJournal {
        let aside = folder.file("aside")
        return RestoreJournal(
            moves: [
                .init(source: nil, target: folder.file("db-wal"), aside: aside + "/db-wal"),
                .init(source: folder.file("staging/db"), target: folder.file("db"), aside: aside + "/db"),
                .init(source: folder.file("staging/new"), target: folder.file("new"), aside: aside + "/new"),
            ], staging: [folder.file("staging")])
    }

    private func prepare() {
        mkdir(folder.file("staging"), 0o700)
        for (name, text) in [("db", "old"), ("db-wal", "old log"), ("staging/db", "new"), ("staging/new", "new")] {
            folder.write(name, text)
        }
    }

    private func expectNew(_ context: String) {
        #expect(folder.names == ["aside", "db", "new"], "\(context)")
        #expect(folder.read("db") == "new" && folder.read("new") == "new", "\(context)")
        #expect(folder.read("aside/db") == "old" && folder.read("aside/db-wal") == "old log", "\(context)")
    }

    @Test("What was decided is carried through, and what was there is moved aside")
    func wholly() throws {
        prepare()
        try journal.commit(in: folder.path)
        expectNew("at once")
        #expect(try !RestoreJournal.resume(in: folder.path))
    }

    @Test("Interrupted after any step, it is carried through by whoever comes next", arguments: 0...6)
    func interrupted(_ steps: Int) throws {
        prepare()
        try journal.decide(in: folder.path)
        // As far as it came.
        let done: [() -> Void] = [
            { mkdir(folder.file("aside"), 0o700) },
            { rename(folder.file("db-wal"), folder.file("aside/db-wal")) },
            { rename(folder.file("db"), folder.file("aside/db")) },
            { rename(folder.file("staging/db"), folder.file("db")) },
            { rename(folder.file("staging/new"), folder.file("new")) },
            { rmdir(folder.file("staging")) },
        ]
        for step in done.prefix(steps) { step() }
        #expect(try RestoreJournal.resume(in: folder.path))
        expectNew("\(steps) steps")
    }

    @Test("Before it is decided nothing has happened, and what lies ready is nobody's")
    func undecided() throws {
        prepare()
        #expect(try !RestoreJournal.resume(in: folder.path))
        #expect(folder.read("db") == "old" && folder.read("db-wal") == "old log")
    }

    @Test("A journal that cannot be read stops everybody: nobody guesses")
    func damaged() throws {
        prepare()
        folder.write("restore-journal.json", "{\"moves\":[{}]}")
        AgeTests.expect(.damaged) { try RestoreJournal.resume(in: folder.path) }
        #expect(folder.read("db") == "old")
    }
}
