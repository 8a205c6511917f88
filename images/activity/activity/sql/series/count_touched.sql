-- How many periods a computation measures.
select count(*) from touched
