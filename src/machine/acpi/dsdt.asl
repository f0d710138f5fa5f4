// The board's devices, for the guest's ACPI interpreter. The numbers must agree with layout.h (acpi/tables_test.cc checks).
DefinitionBlock ("", "DSDT", 2, "PILEUS", "PILEUSVM", 0x00000001)
{
    // Off, through the sleep control register of the FADT (ACPI 6.5, 4.8.3.7).
    Name (\_S5, Package () { 5, 0, 0, 0 })

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_SEG, 0)
            Name (_BBN, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0x1000, 0xFFFF, 0, 0xF000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xC0000000, 0xFEBFFFFF, 0, 0x3EC00000)
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0, 0x4000000000, 0x5FFFFFFFFF, 0, 0x2000000000)
            })

            // The SATA adapter's INTA#; no other function has such a wire.
            Name (_PRT, Package () { Package () { 0x0015FFFF, 0, 0, 11 } })

            // SlotPorts: which slots got a function, which functions are asked to leave; a bit for each slot.
            OperationRegion (SLTS, SystemIO, 0x0620, 0x0C)
            Field (SLTS, DWordAcc, NoLock, WriteAsZeros)
            {
                SCAM, 32,
                SGOE, 32,
                SEJC, 32
            }

            // Slots whose function comes and goes while the machine runs.
            Device (S03) { Name (_ADR, 0x00030000) Name (_SUN, 3) Method (_EJ0, 1) { Store (0x00000008, SEJC) } }
            Device (S04) { Name (_ADR, 0x00040000) Name (_SUN, 4) Method (_EJ0, 1) { Store (0x00000010, SEJC) } }
            Device (S05) { Name (_ADR, 0x00050000) Name (_SUN, 5) Method (_EJ0, 1) { Store (0x00000020, SEJC) } }
            Device (S06) { Name (_ADR, 0x00060000) Name (_SUN, 6) Method (_EJ0, 1) { Store (0x00000040, SEJC) } }
            Device (S07) { Name (_ADR, 0x00070000) Name (_SUN, 7) Method (_EJ0, 1) { Store (0x00000080, SEJC) } }
            Device (S08) { Name (_ADR, 0x00080000) Name (_SUN, 8) Method (_EJ0, 1) { Store (0x00000100, SEJC) } }
            Device (S09) { Name (_ADR, 0x00090000) Name (_SUN, 9) Method (_EJ0, 1) { Store (0x00000200, SEJC) } }
            Device (S0A) { Name (_ADR, 0x000A0000) Name (_SUN, 10) Method (_EJ0, 1) { Store (0x00000400, SEJC) } }
            Device (S0B) { Name (_ADR, 0x000B0000) Name (_SUN, 11) Method (_EJ0, 1) { Store (0x00000800, SEJC) } }
            Device (S0C) { Name (_ADR, 0x000C0000) Name (_SUN, 12) Method (_EJ0, 1) { Store (0x00001000, SEJC) } }
            Device (S0D) { Name (_ADR, 0x000D0000) Name (_SUN, 13) Method (_EJ0, 1) { Store (0x00002000, SEJC) } }
            Device (S0E) { Name (_ADR, 0x000E0000) Name (_SUN, 14) Method (_EJ0, 1) { Store (0x00004000, SEJC) } }
            Device (S0F) { Name (_ADR, 0x000F0000) Name (_SUN, 15) Method (_EJ0, 1) { Store (0x00008000, SEJC) } }
            Device (S10) { Name (_ADR, 0x00100000) Name (_SUN, 16) Method (_EJ0, 1) { Store (0x00010000, SEJC) } }
            Device (S11) { Name (_ADR, 0x00110000) Name (_SUN, 17) Method (_EJ0, 1) { Store (0x00020000, SEJC) } }
            Device (S12) { Name (_ADR, 0x00120000) Name (_SUN, 18) Method (_EJ0, 1) { Store (0x00040000, SEJC) } }

            Method (TELL, 2)
            {
                If (And (Arg0, 0x00000008)) { Notify (S03, Arg1) }
                If (And (Arg0, 0x00000010)) { Notify (S04, Arg1) }
                If (And (Arg0, 0x00000020)) { Notify (S05, Arg1) }
                If (And (Arg0, 0x00000040)) { Notify (S06, Arg1) }
                If (And (Arg0, 0x00000080)) { Notify (S07, Arg1) }
                If (And (Arg0, 0x00000100)) { Notify (S08, Arg1) }
                If (And (Arg0, 0x00000200)) { Notify (S09, Arg1) }
                If (And (Arg0, 0x00000400)) { Notify (S0A, Arg1) }
                If (And (Arg0, 0x00000800)) { Notify (S0B, Arg1) }
                If (And (Arg0, 0x00001000)) { Notify (S0C, Arg1) }
                If (And (Arg0, 0x00002000)) { Notify (S0D, Arg1) }
                If (And (Arg0, 0x00004000)) { Notify (S0E, Arg1) }
                If (And (Arg0, 0x00008000)) { Notify (S0F, Arg1) }
                If (And (Arg0, 0x00010000)) { Notify (S10, Arg1) }
                If (And (Arg0, 0x00020000)) { Notify (S11, Arg1) }
                If (And (Arg0, 0x00040000)) { Notify (S12, Arg1) }
            }
        }

        // What the operating system must not give to anybody else: ECAM and the power ports.
        Device (RSRC)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xB0000000, 0x00100000)
                IO (Decode16, 0x0600, 0x0600, 1, 0x2C)
            })
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 1, 8)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 }
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 1, 2)
            })
        }

        Device (PWRB)
        {
            Name (_HID, EisaId ("PNP0C0C"))
        }

        // A board without fixed ACPI hardware tells of its events here (ACPI 6.5, 5.6.9).
        Device (GED)
        {
            Name (_HID, "ACPI0013")
            Name (_CRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 5 }
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 6 }
            })
            Method (_EVT, 1, Serialized)
            {
                If (LEqual (Arg0, 5))
                {
                    Notify (\_SB.PWRB, 0x80)
                }
                If (LEqual (Arg0, 6))
                {
                    \_SB.PCI0.TELL (\_SB.PCI0.SCAM, 1)
                    \_SB.PCI0.TELL (\_SB.PCI0.SGOE, 3)
                }
            }
        }
    }
}
