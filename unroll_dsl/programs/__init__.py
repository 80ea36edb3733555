"""Programs made of programs: pure functions of syntax trees, checked again as any page is."""
